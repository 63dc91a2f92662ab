/**
 * The hash and size of a file or stream, read piece by piece.
 * @module
 */
import { createReadStream } from "node:fs";
import { formatHex, startHash } from "@bootproof/bytes";
import type { Blob } from "@bootproof/store";

const CHUNK = 1024 * 1024;

/** The hash and size of a file. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<Blob> {
  return hashStream(createReadStream(path, { highWaterMark: CHUNK }), signal);
}

/** The hash and size of what a stream yields. */
export async function hashStream(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Blob> {
  const hash = startHash("sha256");
  let size = 0;
  for await (const chunk of source) {
    signal?.throwIfAborted();
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: formatHex(hash.digest()), size };
}
