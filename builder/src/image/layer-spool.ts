/**
 * Makes each layer a tar that can be read at any place: its blob is hashed before anything of it is used, compressed
 * ones are unpacked to a file that has no name, and what comes out must have the digest that the configuration names.
 * Memory stays flat, and a killed process leaves nothing behind.
 * @module
 */
import { randomBytes } from "node:crypto";
import { constants, createReadStream, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { formatHex, ParseError, startHash } from "@bootproof/bytes";
import { decompress } from "../archive.ts";
import { BuildError } from "../build-error.ts";
import type { FileSlice, ImageLayer, ImageLimits } from "./image.ts";
import { SliceReader } from "./slice-reader.ts";
import { readZstdFrames } from "./zstd-frames.ts";

const CHUNK = 1024 * 1024;

/** What {@link spoolLayers} may be told. */
export interface SpoolOptions {
  readonly limits: ImageLimits;
  readonly workFolder?: string;
  readonly signal?: AbortSignal;
}

/** The uncompressed tars of `layers`, verified; the caller closes them. Throws {@link BuildError} BP-IMAGE-004, 009, 014, 019 or 020. */
export async function spoolLayers(
  layers: readonly ImageLayer[],
  options: SpoolOptions,
): Promise<SliceReader[]> {
  const readers: SliceReader[] = [];
  let left = options.limits.totalSize;
  try {
    for (const [index, layer] of layers.entries()) {
      const where = `layer ${index + 1} of ${layers.length}`;
      const reader = await spoolLayer(layer, where, { ...options, left });
      readers.push(reader);
      left -= reader.size;
    }
  } catch (cause) {
    for (const reader of readers) reader.close();
    throw cause;
  }
  return readers;
}

async function spoolLayer(
  layer: ImageLayer,
  where: string,
  options: SpoolOptions & { readonly left: number },
): Promise<SliceReader> {
  const blob = await openVerified(layer, where, options.signal);
  try {
    if (layer.compression === "none") {
      checkDiffId(layer, where, layer.sha256);
      checkSize(layer, where, { size: layer.size, ...options });
      return blob;
    }
    const reader = await unpack(layer, blob, where, options);
    blob.checkUnchanged();
    blob.close();
    return reader;
  } catch (cause) {
    blob.close();
    throw cause;
  }
}

/** Opens a slice whose bytes have the digest; throws {@link BuildError} BP-IMAGE-003, 004 or 019. */
export async function openVerified(
  blob: { readonly place: FileSlice; readonly sha256: string },
  what: string,
  signal?: AbortSignal,
): Promise<SliceReader> {
  const { place, sha256 } = blob;
  let reader: SliceReader;
  try {
    reader = SliceReader.open(place);
  } catch (cause) {
    throw new BuildError("BP-IMAGE-003", `${what} cannot be read`, { file: place.path, cause });
  }
  try {
    const found = await hashSlice(place, signal);
    reader.checkUnchanged();
    if (found !== sha256)
      throw new BuildError("BP-IMAGE-004", `${what} is not the one that the image names`, {
        file: place.path,
        offset: place.offset,
        expected: `sha256:${sha256}`,
        found: `sha256:${found}`,
      });
    return reader;
  } catch (cause) {
    reader.close();
    throw cause;
  }
}

/** The SHA-256 of a slice, lower-case hex. */
export async function hashSlice(place: FileSlice, signal?: AbortSignal): Promise<string> {
  const hash = startHash("sha256");
  for await (const chunk of streamOf(place, signal)) hash.update(chunk as Uint8Array);
  return formatHex(hash.digest());
}

function streamOf({ path, offset, size }: FileSlice, signal?: AbortSignal): Readable {
  if (size === 0) return Readable.from([]);
  return createReadStream(path, {
    start: offset,
    end: offset + size - 1,
    highWaterMark: Math.min(CHUNK, size),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What a layer unpacks to; the frames of zstd one after another, as one decompressor takes one frame. */
async function* unpacked(
  { place, compression }: ImageLayer,
  blob: SliceReader,
  limit: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (compression !== "zstd") {
    yield* decompress(streamOf(place, signal), compression, limit);
    return;
  }
  let left = limit;
  for (const { offset, size } of readZstdFrames(blob)) {
    const frame = { path: place.path, offset: place.offset + offset, size };
    for await (const chunk of decompress(streamOf(frame, signal), compression, left)) {
      yield chunk;
      left -= chunk.length;
    }
  }
}

async function unpack(
  layer: ImageLayer,
  blob: SliceReader,
  where: string,
  { limits, left, workFolder, signal }: SpoolOptions & { readonly left: number },
): Promise<SliceReader> {
  const path = join(workFolder ?? tmpdir(), `.bootproof-layer-${randomBytes(8).toString("hex")}`);
  const file = openNameless(path);
  const limit = Math.min(left, Math.max(limits.ratioFrom, layer.size * limits.ratio));
  const hash = startHash("sha256");
  let size = 0;
  try {
    for await (const chunk of unpacked(layer, blob, limit, signal)) {
      hash.update(chunk);
      size += writeAll(file, chunk, path);
    }
  } catch (cause) {
    new SliceReader(file, { path, offset: 0, size }).close();
    throw asLayerError(cause, where, layer);
  }
  const reader = new SliceReader(file, { path, offset: 0, size });
  try {
    checkDiffId(layer, where, formatHex(hash.digest()));
  } catch (cause) {
    reader.close();
    throw cause;
  }
  return reader;
}

function openNameless(path: string): number {
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    unlinkSync(path);
    return file;
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

function writeAll(file: number, chunk: Uint8Array, path: string): number {
  try {
    for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
  return chunk.length;
}

const cannotWrite = (file: string, cause: unknown): BuildError =>
  new BuildError("BP-IMAGE-020", "cannot write the unpacked layers", {
    file,
    found: cause instanceof Error ? cause.message : String(cause),
    hint: "free space there, or set TMPDIR to a folder with more",
    cause,
  });

function checkSize(
  { place }: ImageLayer,
  where: string,
  { size, left }: { readonly size: number; readonly left: number },
): void {
  if (size > left)
    throw new BuildError("BP-IMAGE-014", `${where}: the image is too large`, {
      file: place.path,
      expected: `at most ${left} bytes more`,
      found: `${size}`,
    });
}

function checkDiffId({ diffId, place }: ImageLayer, where: string, found: string): void {
  if (found !== diffId)
    throw new BuildError("BP-IMAGE-009", `${where} unpacks to another tar than the configuration names`, {
      file: place.path,
      expected: `sha256:${diffId}`,
      found: `sha256:${found}`,
    });
}

function asLayerError(cause: unknown, where: string, { place }: ImageLayer): unknown {
  if (!(cause instanceof ParseError)) return cause;
  if (cause.code === "TOO_LARGE")
    return new BuildError("BP-IMAGE-014", `${where} unpacks to too many bytes`, {
      file: place.path,
      ...(cause.expected === undefined ? {} : { expected: cause.expected }),
    });
  return new BuildError("BP-IMAGE-009", `${where} cannot be decompressed: ${cause.message}`, {
    file: place.path,
    cause,
  });
}
