/**
 * Writing an enclave image file (EIF) of any size from files and bytes: in one pass, in little memory, and so that the
 * file is there whole or not at all. Layout by `planEif` of `@bootproof/boot/eif`.
 * @module
 */
import { constants, readSync, writeSync, type BigIntStats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import {
  planEif,
  type EifArchitecture,
  type EifPlan,
  type EifSectionType,
  type PlacedSection,
} from "@bootproof/boot/eif";
import { joinCrc32 } from "@bootproof/bytes";
import { replaceFile } from "@bootproof/store";
import { BuildError } from "./build-error.ts";

/** A section to write: a file, a stretch of one, or bytes. */
export type EifPart = { readonly type: EifSectionType } & (
  { readonly path: string; readonly offset?: number; readonly size?: number } | { readonly bytes: Uint8Array }
);

/** The image to write. */
export interface EifFileInput {
  readonly architecture: EifArchitecture;
  readonly sections: readonly EifPart[];
  /** "aws" (kernel, cmdline, metadata, ramdisks, signature; the default), or the order of `sections`. */
  readonly order?: "aws" | "given" | undefined;
  readonly defaultMemory?: bigint | undefined;
  readonly defaultCpus?: bigint | undefined;
}

/** A section on its way: where its bytes are, and where in the image they go. */
export interface EifTransfer {
  readonly type: EifSectionType;
  readonly size: number;
  readonly source: Uint8Array | { readonly descriptor: number; readonly offset: number };
  readonly target: number;
  /** What messages call the section's source: its path, or the section's type. */
  readonly name: string;
}

/** How a writing is watched and ended, and what else happens to the bytes. */
export interface EifFileOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how many bytes are written, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Permissions of the file; 0644 by default. */
  readonly mode?: number | undefined;
  /** Copies the sections into the file `descriptor` and gives the CRC-32 of each; for who also wants to hash them. */
  readonly copy?: ((descriptor: number, sections: readonly EifTransfer[]) => Promise<number[]>) | undefined;
  /** Makes the signature section once everything else is written; it goes last. */
  readonly sign?: (() => Promise<Uint8Array>) | undefined;
}

/** What was written. */
export interface WrittenEif {
  readonly size: number;
  readonly crc32: number;
}

const CHUNK = 2 ** 18;
// Chunks between two looks at signals: some milliseconds.
const CHUNKS_A_TURN = 16;

/**
 * Writes an EIF at `path`, in place of what is there, which may be one of the parts. Throws {@link BuildError}
 * BP-EIF-060 to 062, and the system's errors with the path at fault.
 */
export async function writeEifFile(
  input: EifFileInput,
  path: string,
  options: EifFileOptions = {},
): Promise<WrittenEif> {
  const parts = await openParts(input.sections);
  try {
    return await write(input, parts, path, options);
  } finally {
    for (const { file } of parts) await file?.handle.close();
  }
}

async function write(
  input: EifFileInput,
  parts: readonly OpenPart[],
  path: string,
  options: EifFileOptions,
): Promise<WrittenEif> {
  const plan = planOf(input, parts);
  let written: WrittenEif | undefined;
  await replaceFile(
    path,
    async (handle) => {
      const transfers = plan.sections.map((section) => transferOf(section, parts));
      const copy = options.copy ?? ((descriptor, sections) => copyAll(descriptor, sections, path, options));
      const checksums = await copy(handle.fd, transfers);
      for (const { file } of parts) if (file !== undefined) await checkUnchanged(file);
      options.signal?.throwIfAborted();
      const signature = await options.sign?.();
      written =
        signature === undefined
          ? await finish(handle, plan, checksums)
          : await finishSigned(handle, input, parts, checksums, signature);
    },
    options.mode,
  );
  if (written === undefined) throw new Error("the image was not written");
  return written;
}

interface OpenPart {
  readonly type: EifSectionType;
  readonly size: number;
  readonly source: EifTransfer["source"];
  readonly file?: OpenFile;
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly opened: BigIntStats;
}

async function openParts(sections: readonly EifPart[]): Promise<OpenPart[]> {
  const parts: OpenPart[] = [];
  try {
    for (const part of sections) {
      if ("bytes" in part) parts.push({ type: part.type, size: part.bytes.length, source: part.bytes });
      else {
        const file = await openFile(part.path);
        const offset = part.offset ?? 0;
        const size = part.size ?? Number(file.opened.size) - offset;
        parts.push({ type: part.type, size, source: { descriptor: file.handle.fd, offset }, file });
      }
    }
    return parts;
  } catch (cause) {
    for (const { file } of parts) await file?.handle.close();
    throw cause;
  }
}

async function openFile(path: string): Promise<OpenFile> {
  // Looked at first: opening a pipe blocks until somebody writes to it.
  const found = await stat(path);
  if (!found.isFile())
    throw new BuildError("BP-EIF-062", "cannot be a part of an enclave image", {
      file: path,
      expected: "a file",
      found: found.isDirectory() ? "a folder" : found.isFIFO() ? "a pipe" : "a device",
      hint: "save it to a file first",
    });
  const handle = await open(path, constants.O_RDONLY);
  return { path, handle, opened: await handle.stat({ bigint: true }) };
}

async function checkUnchanged({ path, handle, opened }: OpenFile): Promise<void> {
  const { size, mtimeNs } = await handle.stat({ bigint: true });
  if (size !== opened.size || mtimeNs !== opened.mtimeNs) throw changed(path);
}

function changed(file: string): BuildError {
  const hint = "wait until whatever writes it has finished, then run this again";
  return new BuildError("BP-EIF-061", "the file changed while an image was made of it", { file, hint });
}

function planOf(
  { architecture, order, defaultMemory, defaultCpus }: EifFileInput,
  sections: readonly { readonly type: EifSectionType; readonly size: number }[],
): EifPlan {
  try {
    return planEif({ architecture, sections, order, defaultMemory, defaultCpus });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new BuildError("BP-EIF-060", `cannot write an enclave image: ${cause.message}`, { cause });
  }
}

function transferOf({ index, type, size, offset }: PlacedSection, parts: readonly OpenPart[]): EifTransfer {
  const part = parts[index];
  if (part === undefined) throw new Error(`no part ${index} for a section`);
  return { type, size, source: part.source, target: offset, name: part.file?.path ?? type };
}

/** Copies the sections, one after the other. */
async function copyAll(
  descriptor: number,
  sections: readonly EifTransfer[],
  path: string,
  { signal, onProgress }: EifFileOptions,
): Promise<number[]> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const total = sections.reduce((sum, { size }) => sum + size, 0);
  const checksums: number[] = [];
  let [done, chunks] = [0, 0];
  for (const section of sections) {
    let checksum = 0;
    for (let at = 0; at < section.size; at += CHUNK) {
      const bytes = readPart(section, at, buffer);
      checksum = crc32(bytes, checksum);
      writeAt(descriptor, bytes, section.target + at, path);
      done += bytes.length;
      if (++chunks % CHUNKS_A_TURN > 0) continue;
      await setImmediate();
      signal?.throwIfAborted();
      onProgress?.(done, total);
    }
    checksums.push(checksum);
  }
  return checksums;
}

function readPart({ source, size, name }: EifTransfer, at: number, buffer: Buffer): Uint8Array {
  const length = Math.min(buffer.length, size - at);
  if (source instanceof Uint8Array) return source.subarray(at, at + length);
  for (let have = 0; have < length;) {
    const read = readSync(source.descriptor, buffer, have, length - have, source.offset + at + have);
    if (read === 0) throw changed(name);
    have += read;
  }
  return buffer.subarray(0, length);
}

function writeAt(descriptor: number, bytes: Uint8Array, position: number, path: string): void {
  try {
    for (let have = 0; have < bytes.length;)
      have += writeSync(descriptor, bytes, have, bytes.length - have, position + have);
  } catch (cause) {
    // The system names no file for a descriptor.
    throw cause instanceof Error ? Object.assign(cause, { path }) : cause;
  }
}

/** Puts the headers around sections that are there: the first bytes of the file come last. */
async function finish(
  handle: FileHandle,
  { header, sections, size, crcOffset }: EifPlan,
  checksums: readonly number[],
): Promise<WrittenEif> {
  let crc = crc32(header.subarray(0, crcOffset));
  for (const [index, section] of sections.entries()) {
    crc = joinCrc32(crc32(section.header, crc), checksums[index] ?? 0, section.size);
    await handle.write(section.header, 0, section.header.length, section.headerOffset);
  }
  new DataView(header.buffer, header.byteOffset).setUint32(crcOffset, crc);
  await handle.write(header, 0, header.length, 0);
  return { size, crc32: crc };
}

async function finishSigned(
  handle: FileHandle,
  input: EifFileInput,
  parts: readonly OpenPart[],
  checksums: readonly number[],
  signature: Uint8Array,
): Promise<WrittenEif> {
  const plan = planOf(input, [...parts, { type: "signature", size: signature.length }]);
  const target = plan.sections.at(-1);
  if (target?.type !== "signature") throw new Error("the signature is not the last section");
  await handle.write(signature, 0, signature.length, target.offset);
  return await finish(handle, plan, [...checksums, crc32(signature)]);
}
