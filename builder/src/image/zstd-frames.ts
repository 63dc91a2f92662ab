/**
 * Finds the frames of zstd data: RFC 8878, section 3.1. The decompressor at hand stops behind the first frame, and
 * layers have many: tools that compress in parallel write several, zstd:chunked one for each file.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import type { TarSource } from "./tar-entries.ts";

/** A frame's place. */
export interface ZstdFrame {
  readonly offset: number;
  readonly size: number;
}

const MAGIC = 0xfd2f_b528;
const SKIPPABLE = 0x184d_2a50;
const DICTIONARY_SIZES = [0, 1, 2, 4];
const CONTENT_SIZES = [0, 2, 4, 8];

/** Frames that hold something, in order; throws {@link ParseError}. */
export function* readZstdFrames(source: TarSource): Generator<ZstdFrame> {
  for (let offset = 0; offset < source.size;) {
    const magic = number(source, offset, 4);
    if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE) {
      offset += 8 + number(source, offset + 4, 4);
      if (offset > source.size) throw truncated(source.size);
      continue;
    }
    if (magic !== MAGIC) throw new ParseError("BAD_MAGIC", "zstd frame", { offset });
    const end = frameEnd(source, offset + 4);
    yield { offset, size: end - offset };
    offset = end;
  }
}

function frameEnd(source: TarSource, header: number): number {
  const descriptor = number(source, header, 1);
  const single = (descriptor & 0x20) !== 0;
  const contentSize = CONTENT_SIZES[descriptor >> 6] ?? 0;
  let at = header + 1;
  at += single ? Math.max(1, contentSize) : 1 + contentSize;
  at += DICTIONARY_SIZES[descriptor & 3] ?? 0;
  for (let last = false; !last;) {
    const block = number(source, at, 3);
    last = (block & 1) !== 0;
    // A block of one byte repeated holds that byte.
    at += 3 + (((block >> 1) & 3) === 1 ? 1 : block >> 3);
  }
  at += (descriptor & 4) !== 0 ? 4 : 0;
  if (at > source.size) throw truncated(source.size);
  return at;
}

function number(source: TarSource, offset: number, length: number): number {
  const bytes = source.read(offset, length);
  if (bytes.length < length) throw truncated(source.size);
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}

const truncated = (offset: number): ParseError => new ParseError("TRUNCATED", "zstd stream", { offset });
