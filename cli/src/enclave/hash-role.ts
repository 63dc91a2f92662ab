/**
 * One thread's part of hashing an EIF: reads the sections into one reused buffer and feeds the hashes of its role.
 * The chains are those of aws-nitro-enclaves-image-format, `utils/eif_reader.rs`; `EifHasher` of
 * `@bootproof/measure/nitro` computes the same of bytes in memory.
 *
 * Loads no package of ours: each thread would keep its own copy of it.
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { CHUNK, Shared, type HashJob, type HashParts, type HashPlace } from "./hash-job.ts";

/** A section that ended before its size. */
export class ShortRead extends Error {
  override readonly name = "ShortRead";
}

/** Hashes what the job's role says; waits for what `onChunk` returns, if anything. */
export async function hashRole(job: HashJob, onChunk?: () => Promise<void> | undefined): Promise<HashParts> {
  const shared = new Shared(job.places, job.shared);
  const chains = new Chains(job, shared);
  const checksums = new Checksums(job, shared);
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  for (const [section, place] of job.places.entries()) {
    const hashes = chains.begin(section);
    for (let offset = 0; offset < place.size; offset += CHUNK) {
      const checked = checksums.claims(section, offset);
      if (checked || hashes.length > 0) {
        const bytes = readPart(place, offset, buffer);
        for (const hash of hashes) hash.update(bytes);
        if (checked) {
          checksums.update(section, offset, bytes);
          if (job.output !== undefined) writeAt(job.output, bytes, (place.target ?? 0) + offset);
        }
      }
      shared.countChunk();
      const pause = onChunk?.();
      if (pause !== undefined) await pause;
    }
    chains.end(section);
  }
  return chains.finish();
}

/** The bytes of a place from `offset` on, as many as the buffer holds. */
function readPart({ data, size }: HashPlace, offset: number, buffer: Buffer): Uint8Array {
  const length = Math.min(buffer.length, size - offset);
  if (data instanceof Uint8Array) return data.subarray(offset, offset + length);
  for (let have = 0; have < length;) {
    const read = readSync(data.descriptor, buffer, have, length - have, data.offset + offset + have);
    if (read === 0) throw new ShortRead();
    have += read;
  }
  return length === buffer.length ? buffer : buffer.subarray(0, length);
}

function writeAt(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let have = 0; have < bytes.length;)
    have += writeSync(descriptor, bytes, have, bytes.length - have, position + have);
}

/** CRC-32 of those blocks that this thread met first. */
class Checksums {
  readonly #job: HashJob;
  readonly #shared: Shared;
  #claimed = false;
  #crc = 0;

  constructor(job: HashJob, shared: Shared) {
    this.#job = job;
    this.#shared = shared;
  }

  /** Whether the bytes at this offset are this thread's to checksum. */
  claims(section: number, offset: number): boolean {
    const { blockSize } = this.#shared;
    if (offset % blockSize === 0) {
      this.#claimed = this.#job.checksums && this.#shared.claimBlock(section, offset / blockSize);
      this.#crc = 0;
    }
    return this.#claimed;
  }

  update(section: number, offset: number, bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#shared.setChecksum(section, Math.floor(offset / this.#shared.blockSize), this.#crc);
  }
}

/** What a section's bytes go into: what PCR1 and PCR0 extend, what PCR2 and PCR0 extend, or no register. */
type Kind = "boot" | "application" | "unmeasured";

/** The hashes of a role. */
class Chains {
  readonly #kinds: readonly Kind[];
  readonly #shared: Shared;
  readonly #sections = new Map<number, Uint8Array>();
  readonly #image: Hash | undefined;
  /** Undefined as long as it has taken the same bytes as the image's. */
  #boot: Hash | undefined;
  readonly #application: Hash | undefined;
  /** The digest of the section at hand. */
  #digest: Hash | undefined;

  constructor({ places, role }: HashJob, shared: Shared) {
    this.#shared = shared;
    const firstRamdisk = places.findIndex(({ type }) => type === "ramdisk");
    this.#kinds = places.map(({ type }, at) => {
      if (type === "ramdisk") return at === firstRamdisk ? "boot" : "application";
      return type === "kernel" || type === "cmdline" ? "boot" : "unmeasured";
    });
    if (role.image) this.#image = createHash("sha384");
    if (role.application) this.#application = createHash("sha384");
  }

  /** The hashes that take the bytes of a section. */
  begin(section: number): Hash[] {
    const kind = this.#kinds[section];
    // The copy is what makes a second pass over the kernel and the first ramdisk needless.
    if (kind === "application") this.#boot ??= this.#image?.copy();
    const own = this.#ownsDigest(section) ? createHash("sha384") : undefined;
    this.#digest = own ?? this.#chainFrom(section);
    return [
      kind === "unmeasured" ? undefined : this.#image,
      kind === "boot" ? this.#boot : undefined,
      kind === "application" ? this.#application : undefined,
      own,
    ].filter((hash) => hash !== undefined);
  }

  end(section: number): void {
    // A copy, for the hash may be a chain that goes on.
    if (this.#digest !== undefined) this.#sections.set(section, bytesOf(this.#digest.copy()));
  }

  finish(): HashParts {
    const boot = this.#boot ?? this.#image?.copy();
    return {
      ...(this.#image && boot && { inner0: bytesOf(this.#image), inner1: bytesOf(boot) }),
      ...(this.#application && { inner2: bytesOf(this.#application) }),
      sections: this.#sections,
    };
  }

  /** The chain that begins with this section, and so has its digest when it ends. */
  #chainFrom(section: number): Hash | undefined {
    if (section === this.#kinds.findIndex((kind) => kind !== "unmeasured")) return this.#image;
    if (section === this.#kinds.indexOf("application")) return this.#application;
    return undefined;
  }

  /** Whether the digest of this section, with which no chain begins, is this thread's to compute. */
  #ownsDigest(section: number): boolean {
    if (section === this.#kinds.findIndex((kind) => kind !== "unmeasured")) return false;
    if (section === this.#kinds.indexOf("application")) return false;
    // Before the application begins, its thread has nothing else to do.
    if (this.#kinds[section] !== "application") return this.#application !== undefined;
    return this.#shared.claimSection(section);
  }
}

const bytesOf = (hash: Hash): Uint8Array => new Uint8Array(hash.digest());
