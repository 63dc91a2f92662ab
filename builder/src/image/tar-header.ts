/**
 * The 512 bytes of a tar header: POSIX.1-2017 ustar, GNU tar's format and star's variant of the prefix. Strict where
 * tools disagree; lenient where old writers are (blank padded numbers, signed checksums, no magic at all).
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { byteText, type ByteText, show } from "./byte-text.ts";

/** Bytes of a block. */
export const BLOCK = 512;

/** A header as it stands, before extended headers are applied. */
export interface TarHeader {
  /** The type flag, a NUL already read as `0` or, behind a name that ends in a slash, as `5`. */
  readonly type: string;
  readonly name: ByteText;
  readonly linkname: ByteText;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

const USTAR = "ustar\0" + "00";
const GNU = "ustar  \0";

/** Reads a header; throws {@link ParseError}. */
export function parseTarHeader(block: Uint8Array, offset: number): TarHeader {
  checkSum(block, offset);
  const number = (start: number, length: number, field: string): number =>
    parseNumber(block.subarray(start, start + length), field, offset + start);
  const name = fullName(block);
  const flag = String.fromCharCode(block[156] ?? 0);
  const type = flag === "\0" ? (name.endsWith("/") ? "5" : "0") : flag;
  const device = type === "3" || type === "4";
  return {
    type,
    name,
    mode: number(100, 8, "mode") & 0o7777,
    uid: number(108, 8, "uid"),
    gid: number(116, 8, "gid"),
    size: number(124, 12, "size"),
    linkname: textAt(block, 157, 100),
    major: device ? number(329, 8, "devmajor") : 0,
    minor: device ? number(337, 8, "devminor") : 0,
  };
}

/** Whether a block is all zeros: two of them end a tar. */
export const isZeroBlock = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/** Reads octal digits, or GNU tar's base 256; throws {@link ParseError}. */
export function parseNumber(field: Uint8Array, name: string, offset: number): number {
  const refuse = (found: string): never => {
    throw new ParseError("OUT_OF_RANGE", `tar ${name}`, { offset, expected: "a number below 2^53", found });
  };
  const [first = 0] = field;
  if ((first & 0x80) !== 0) {
    if (first !== 0x80) refuse("a negative or a larger one");
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : refuse("a larger one");
  }
  const text = byteText(field);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(text)?.[1];
  if (digits === undefined) return refuse(show(text));
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function fullName(block: Uint8Array): ByteText {
  const name = textAt(block, 0, 100);
  const magic = byteText(block.subarray(257, 265));
  const prefix = magic === USTAR ? ustarPrefix(block) : magic === GNU ? gnuPrefix(block) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** star keeps two times behind a shorter prefix, and marks it at the end of the block. */
function ustarPrefix(block: Uint8Array): ByteText {
  const star = byteText(block.subarray(508, 512)) === "tar\0";
  return textAt(block, 345, star ? 131 : 155);
}

/** GNU tar has times there. Go before 1.8 wrote prefixes into headers of GNU's kind, and so docker of that time did. */
function gnuPrefix(block: Uint8Array): ByteText {
  const times = byteText(block.subarray(345, 369));
  const isTimes = (block[345] ?? 0) >= 0x80 || /^[ \0]*[0-7 \0]*$/.test(times);
  return isTimes ? "" : textAt(block, 345, 155);
}

function textAt(block: Uint8Array, start: number, length: number): ByteText {
  const text = byteText(block.subarray(start, start + length));
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** The sum of all bytes with the sum's own field as blanks; some old writers added signed bytes. */
function checkSum(block: Uint8Array, offset: number): void {
  let [unsigned, signed] = [8 * 0x20, 8 * 0x20];
  for (let index = 0; index < BLOCK; index++) {
    if (index >= 148 && index < 156) continue;
    const byte = block[index] ?? 0;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const stated = parseNumber(block.subarray(148, 156), "checksum", offset + 148);
  if (stated !== unsigned && stated !== signed)
    throw new ParseError("BAD_DIGEST", "tar header", {
      offset,
      expected: `checksum ${unsigned}`,
      found: `${stated}`,
    });
}
