/**
 * What people trip over with command lines: a newline that an editor adds, white space, quotes.
 * @module
 */
import { concatBytes, equalBytes, formatHex, sha256 } from "@bootproof/bytes";

/** What is known of one part: its bytes, or its SHA-256 and perhaps its size. */
export interface KnownPart {
  readonly bytes?: Uint8Array;
  readonly sha256: string;
  readonly size?: number;
}

/** What one command line has that the other lacks, when it is one of the things that people trip over. */
export function commandLineCause(a: KnownPart | undefined, b: KnownPart | undefined): string | undefined {
  for (const [one, other, more, less] of [
    [a, b, "A", "B"],
    [b, a, "B", "A"],
  ] as const) {
    if (one === undefined || other === undefined) continue;
    if (other.bytes !== undefined)
      for (const [cause, bytes] of longerForms(other.bytes))
        if (is(one, bytes)) return `${more} is ${less} with ${cause}`;
    if (one.bytes !== undefined) {
      const trimmed = trim(one.bytes);
      if (trimmed.length < one.bytes.length && is(other, trimmed))
        return `${more} is ${less} with white space around it`;
    }
  }
  const both = a?.bytes !== undefined && b?.bytes !== undefined;
  return both && equalBytes(squeeze(a.bytes), squeeze(b.bytes)) ? "only in white space" : undefined;
}

const ENDINGS: readonly (readonly [string, readonly number[]])[] = [
  ["a trailing newline", [0x0a]],
  ["a trailing carriage return and newline", [0x0d, 0x0a]],
  ["a trailing NUL", [0x00]],
  ["a trailing newline and NUL", [0x0a, 0x00]],
  ["a trailing space", [0x20]],
];

function longerForms(bytes: Uint8Array): (readonly [string, Uint8Array])[] {
  return [
    ...ENDINGS.map(([cause, ending]) => [cause, concatBytes(bytes, Uint8Array.from(ending))] as const),
    ["a leading space", concatBytes(Uint8Array.of(0x20), bytes)] as const,
    ["double quotes around it", concatBytes(Uint8Array.of(0x22), bytes, Uint8Array.of(0x22))] as const,
    ["a byte order mark before it", concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), bytes)] as const,
  ];
}

const is = (part: KnownPart, bytes: Uint8Array): boolean =>
  part.bytes === undefined ? part.sha256 === formatHex(sha256(bytes)) : equalBytes(part.bytes, bytes);

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || (byte !== undefined && byte >= 9 && byte <= 13);

function trim(bytes: Uint8Array): Uint8Array {
  let [start, end] = [0, bytes.length];
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}

const squeeze = (bytes: Uint8Array): Uint8Array => bytes.filter((byte) => !isSpace(byte));
