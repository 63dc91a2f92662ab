/**
 * Streams of a package: decompression (xz through xz-decompress, gzip and zstd through node:zlib) and tar through
 * tar-stream, with a limit on the bytes that may come out. The only door to tar-stream and xz-decompress.
 * @module
 */
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type Extract, type Header } from "tar-stream";
import xz from "xz-decompress";
import { ParseError, quote } from "@bootproof/bytes";

/** How a package's part is compressed. */
export type Compression = "none" | "gzip" | "xz" | "zstd";

/** What a tar says about an entry, before anything of it is believed. */
export interface UntrustedTarEntry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  readonly linkname: string;
}

/** The bytes of `source`, decompressed; throws {@link ParseError} when broken or over `limit` bytes. */
export async function* decompress(
  source: Readable,
  compression: Compression,
  limit: number,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const chunk of openDecompressor(source, compression)) {
      total += chunk.length;
      if (total > limit) break;
      yield chunk;
    }
  } catch (cause) {
    throw broken(`${compression} stream`, cause);
  } finally {
    source.destroy();
  }
  if (total > limit)
    throw new ParseError("TOO_LARGE", "decompressed package", { expected: `at most ${limit} bytes` });
}

function openDecompressor(source: Readable, compression: Compression): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return source;
    case "gzip":
      return forward(source, createGunzip());
    case "zstd":
      return forward(source, createZstdDecompress());
    case "xz":
      return new xz.XzReadableStream(Readable.toWeb(source) as ReadableStream<Uint8Array>);
  }
}

function forward(source: Readable, through: NodeJS.ReadWriteStream & Readable): AsyncIterable<Uint8Array> {
  source.on("error", (error) => through.destroy(error));
  return source.pipe(through);
}

/**
 * Calls `onEntry` for each entry of a tar in order and waits for it; what it leaves of `content` is skipped.
 * Throws {@link ParseError} when the tar is malformed, ends early, or goes on after its end.
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  onEntry: (entry: UntrustedTarEntry, content: AsyncIterable<Uint8Array>) => Promise<void> | void,
): Promise<void> {
  const reader = extract();
  const errors: Error[] = [];
  const note = (cause: unknown): Error => {
    // What the system refuses, such as a full disk, is not the tar's fault.
    const error = cause instanceof Error && "syscall" in cause ? cause : broken("tar", cause);
    errors.push(error);
    return error;
  };
  const feeding = feed(source, reader).catch((cause: unknown) => {
    reader.destroy(note(cause));
  });
  try {
    for await (const entry of reader) {
      try {
        await onEntry(asEntry(entry.header), entry as unknown as AsyncIterable<Uint8Array>);
      } catch (cause) {
        throw note(cause);
      }
      entry.resume();
    }
  } catch (cause) {
    reader.destroy(null);
    throw errors[0] ?? broken("tar", cause);
  } finally {
    await feeding;
  }
  if (errors[0] !== undefined) throw errors[0];
}

/** Two zero blocks end a tar; then only zeros may follow, or bytes would be hidden from us and not from others. */
async function feed(source: AsyncIterable<Uint8Array>, reader: Extract): Promise<void> {
  let total = 0;
  for await (const chunk of source) {
    if (reader.destroyed) return;
    total += chunk.length;
    if (!reader.write(chunk)) await drained(reader);
  }
  if (total === 0 || total % 512 !== 0)
    throw new ParseError("TRUNCATED", "tar", {
      offset: total,
      expected: "whole blocks of 512 bytes, at least one",
    });
  if (!reader.destroyed) reader.end(undefined);
}

const drained = (reader: Extract): Promise<void> =>
  new Promise((resolve) => {
    const settle = (): void => {
      reader.off("drain", settle).off("close", settle);
      resolve();
    };
    reader.on("drain", settle).on("close", settle);
  });

/** The library's types promise strings; for an unknown type flag and an absent link it gives null. */
type GivenHeader = Omit<Header, "type" | "linkname"> & {
  readonly type: string | null;
  readonly linkname: string | null;
};

const asEntry = ({ name, type, size, mode, linkname }: GivenHeader): UntrustedTarEntry => ({
  name,
  type: type ?? "unknown",
  size,
  mode,
  linkname: linkname ?? "",
});

function broken(field: string, cause: unknown): ParseError {
  if (cause instanceof ParseError) return cause;
  const error = new ParseError("BAD_ENCODING", field, {
    found: quote(cause instanceof Error ? cause.message : String(cause)),
  });
  error.cause = cause;
  return error;
}
