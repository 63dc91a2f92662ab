/**
 * Hashing the sections of an EIF, or of one to be, on two cores: every byte once for what PCR0 and PCR1 extend, and once
 * for what PCR2 extends or for its section's digest, in memory that does not grow with the file (ADR 0020).
 * @module
 */
import {
  EIF_CRC_OFFSET,
  EIF_SECTION_HEADER_SIZE,
  type EifSource,
  type UntrustedEifSection,
} from "@bootproof/boot/eif";
import { joinCrc32, type Sha384 } from "@bootproof/bytes";
import type { EifDigests, HashedSection, PlannedSection } from "@bootproof/measure/nitro";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { inputFailure } from "../frame/files.ts";
import { changed, OpenFile } from "./eif-file.ts";
import { CHUNK, Shared, type HashParts, type HashPlace, type HashRole } from "./hash-job.ts";
import { hashRole, ShortRead } from "./hash-role.ts";
import { HashThread, isWorthThread } from "./hash-thread.ts";

/** How a hashing is watched and ended. */
export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how many bytes are done, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Threads to hash on; by default two where that is faster. */
  readonly threads?: 1 | 2 | undefined;
}

/** What hashing a file gives: the digests, and the CRC-32 that its header should name. */
export interface EifFileDigests extends EifDigests {
  readonly crc32: number;
}

/** A section to be measured: a file, or its bytes. */
export type LoosePart = { readonly type: PlannedSection["type"] } & (
  { readonly path: string } | { readonly bytes: Uint8Array }
);

// Chunks between two looks at signals: some milliseconds.
const CHUNKS_A_TURN = 16;

/** An EIF that is open for reading. */
export class EifFile implements EifSource {
  readonly #file: OpenFile;
  #thread: HashThread | undefined;

  private constructor(file: OpenFile, thread: HashThread | undefined) {
    this.#file = file;
    this.#thread = thread;
  }

  /**
   * Opens a file; throws a Failure that says why it cannot be read. With `hash` the thread that helps
   * {@link hashEifFile} starts at once, while the headers are read.
   */
  static async open(path: string, { hash = false }: { readonly hash?: boolean } = {}): Promise<EifFile> {
    const file = await OpenFile.open(path);
    return new EifFile(file, hash && isWorthThread(file.size) ? new HashThread() : undefined);
  }

  get name(): string {
    return this.#file.name;
  }

  get size(): number {
    return this.#file.size;
  }

  /** The file itself. */
  get file(): OpenFile {
    return this.#file;
  }

  /** The thread that was started, if any; it is the caller's from now on. */
  takeThread(): HashThread | undefined {
    const thread = this.#thread;
    this.#thread = undefined;
    return thread;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return await this.#file.read(offset, length);
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    await this.takeThread()?.end();
    await this.#file.close();
  }
}

/**
 * Hashes sections of an EIF as one reading finds them, in this order; any list will do, also one in which sections
 * overlap or have unknown types. Throws a Failure when the file changes meanwhile.
 */
export async function hashEifFile(
  eif: EifFile,
  { sections }: { readonly sections: readonly UntrustedEifSection[] },
  options: HashOptions = {},
): Promise<EifFileDigests> {
  const { file } = eif;
  const places = sections.map(({ type, offset, size }): HashPlace => {
    return { type, size, data: { descriptor: file.descriptor, offset } };
  });
  const { digests, shared } = await hashPlaces(places, { ...options, name: eif.name, checksums: true }, eif);
  let crc = crc32(await file.read(0, Math.min(EIF_CRC_OFFSET, file.size)));
  for (const [index, { headerOffset, size }] of sections.entries()) {
    crc = crc32(await file.read(headerOffset, EIF_SECTION_HEADER_SIZE), crc);
    crc = joinCrc32(crc, checksumOf(shared, index, size), size);
  }
  await file.checkUnchanged();
  return { ...digests, crc32: crc };
}

/** The CRC-32 of a whole section. */
export function checksumOf(shared: Shared, section: number, size: number): number {
  let checksum = 0;
  for (let at = 0; at < size; at += shared.blockSize) {
    const length = Math.min(shared.blockSize, size - at);
    checksum = joinCrc32(checksum, shared.checksum(section, at / shared.blockSize), length);
  }
  return checksum;
}

/** Hashes the parts of an EIF to be, in the order of the file; throws a Failure for what cannot be read. */
export async function hashParts(parts: readonly LoosePart[], options: HashOptions = {}): Promise<EifDigests> {
  const files: OpenFile[] = [];
  try {
    const places: HashPlace[] = [];
    for (const part of parts) {
      if ("bytes" in part) {
        places.push({ type: part.type, size: part.bytes.length, data: part.bytes });
        continue;
      }
      const file = await OpenFile.open(part.path);
      files.push(file);
      places.push({ type: part.type, size: file.size, data: { descriptor: file.descriptor, offset: 0 } });
    }
    const name = files.map((file) => file.name).join(", ");
    const { digests } = await hashPlaces(places, { ...options, name, checksums: false });
    for (const file of files) await file.checkUnchanged();
    return digests;
  } finally {
    for (const file of files) await file.close();
  }
}

/** How places are hashed. */
export interface PlaceOptions extends HashOptions {
  /** The file, for failures. */
  readonly name: string;
  readonly checksums: boolean;
  /** A file of this process to copy the sections to. */
  readonly output?: number | undefined;
}

/** Hashes sections wherever they are; the memory that the threads shared holds the checksums. */
export async function hashPlaces(
  places: readonly HashPlace[],
  options: PlaceOptions,
  eif?: EifFile,
): Promise<{ digests: EifDigests; shared: Shared }> {
  const total = places.reduce((sum, { size }) => sum + size, 0);
  const shared = new Shared(places);
  const order = { places, shared: shared.memory, checksums: options.checksums, output: options.output };
  const two = options.threads === undefined ? isWorthThread(total) : options.threads === 2;
  const here = async (role: HashRole, share: number): Promise<HashParts> => {
    const turns = takeTurns(shared, share * total, total, options);
    try {
      return await hashRole({ ...order, role }, turns);
    } catch (cause) {
      if (cause instanceof ShortRead) throw changed(options.name);
      throw isSystemError(cause) ? inputFailure(options.name, cause) : cause;
    }
  };
  if (!two) return { digests: join(places, await here({ image: true, application: true }, 1)), shared };
  const thread = eif?.takeThread() ?? new HashThread();
  try {
    const there = thread.hash(
      { ...order, role: { image: false, application: true } },
      options.name,
      options.signal,
    );
    // When one of the two fails the other is not waited for.
    const parts = await Promise.all([here({ image: true, application: false }, 2), there]);
    return { digests: join(places, ...parts), shared };
  } finally {
    await thread.end();
  }
}

/** Lets signals in now and then, and says how far both threads are; `work` bytes are hashed in all. */
function takeTurns(
  shared: Shared,
  work: number,
  total: number,
  { signal, onProgress }: HashOptions,
): () => Promise<void> | undefined {
  let chunks = 0;
  const turn = async (): Promise<void> => {
    await setImmediate();
    signal?.throwIfAborted();
    const done = work === 0 ? total : Math.min(total, Math.floor((shared.chunks * CHUNK * total) / work));
    onProgress?.(done, total);
  };
  return () => (++chunks % CHUNKS_A_TURN === 0 ? turn() : undefined);
}

function join(places: readonly HashPlace[], ...parts: readonly HashParts[]): EifDigests {
  const of = (name: "inner0" | "inner1" | "inner2"): Sha384 =>
    digestIn(parts.map((part) => part[name]).find((digest) => digest !== undefined));
  return {
    inner0: of("inner0"),
    inner1: of("inner1"),
    inner2: of("inner2"),
    sections: places.map(({ type, size }, index) => {
      const sha384 = digestIn(
        parts.map(({ sections }) => sections.get(index)).find((digest) => digest !== undefined),
      );
      return { type, size, sha384 } as HashedSection;
    }),
  };
}

function digestIn(digest: Uint8Array | undefined): Sha384 {
  if (digest === undefined) throw new Error("a thread left out a digest");
  return digest as Sha384;
}

const isSystemError = (cause: unknown): boolean => cause instanceof Error && "syscall" in cause;
