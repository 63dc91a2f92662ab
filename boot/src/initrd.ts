/**
 * An initrd as the kernel sees it: newc archives one after another with zeros between them, then perhaps
 * compressed data. Linux init/initramfs.c, Documentation/driver-api/early-userspace/buffer-format.rst.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { type CpioArchive, readCpio, startsCpio } from "./cpio-read.ts";

/** Compression formats that the kernel recognises by their first bytes (lib/decompress.c). */
export type Compression = "gzip" | "bzip2" | "lzma" | "xz" | "lzo" | "lz4" | "zstd";

/** A part of an initrd. */
export type InitrdPart =
  | ({ readonly kind: "cpio" } & CpioArchive)
  | {
      /** Compressed to the end of the file, as far as we can see without unpacking. */
      readonly kind: "compressed";
      readonly format: Compression;
      readonly offset: number;
      readonly length: number;
    };

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["gzip", [0x1f, 0x9e]],
  ["bzip2", [0x42, 0x5a]],
  ["lzma", [0x5d, 0x00]],
  ["xz", [0xfd, 0x37]],
  ["lzo", [0x89, 0x4c]],
  ["lz4", [0x02, 0x21]],
  ["zstd", [0x28, 0xb5]],
];

/** Parses every part of an initrd, or throws {@link ParseError} at the first byte that starts none. */
export function parseInitrd(bytes: Uint8Array): InitrdPart[] {
  const parts: InitrdPart[] = [];
  for (let offset = skipZeros(bytes, 0); offset < bytes.length;) {
    const part = parsePart(bytes, offset);
    parts.push(part);
    offset = skipZeros(bytes, offset + part.length);
  }
  return parts;
}

/** The compression whose magic stands at `offset`, if any. */
export function detectCompression(bytes: Uint8Array, offset = 0): Compression | undefined {
  const match = MAGICS.find(([, magic]) => magic.every((byte, index) => bytes[offset + index] === byte));
  return match?.[0];
}

function parsePart(bytes: Uint8Array, offset: number): InitrdPart {
  if (startsCpio(bytes, offset)) {
    // The kernel looks for archives at multiples of 4 only.
    if (offset % 4 !== 0)
      throw new ParseError("OUT_OF_RANGE", "offset of a cpio archive", {
        offset,
        expected: "a multiple of 4",
      });
    return { kind: "cpio", ...readCpio(bytes, offset) };
  }
  const format = detectCompression(bytes, offset);
  if (format === undefined)
    throw new ParseError("BAD_MAGIC", "part of an initrd", {
      offset,
      expected: "a newc archive or compressed data",
    });
  return { kind: "compressed", format, offset, length: bytes.length - offset };
}

function skipZeros(bytes: Uint8Array, from: number): number {
  let offset = from;
  while (bytes[offset] === 0) offset++;
  return offset;
}
