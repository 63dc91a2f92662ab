/**
 * ECDSA signatures as openssl and most key services write them: `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 section
 * 2.2.3) in DER, the one spelling that X.690 leaves.
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { ParseError } from "./parse-error.ts";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
// Lengths from 0x80 take further bytes; two numbers of up to 60 bytes need none.
const MAX_LENGTH = 0x7f;

/** Parses a DER signature into r and s, each left-padded to `size` bytes; throws {@link ParseError}. */
export function parseEcdsaDer(der: Uint8Array, size: number): Uint8Array {
  const outer = new ByteReader(der);
  const body = outer.bytes(readHeader(outer, SEQUENCE, "signature"), "signature");
  outer.end("signature");
  const reader = new ByteReader(body, outer.offset - body.length);
  const signature = new Uint8Array(2 * size);
  signature.set(readInteger(reader, size, "r"), 0);
  signature.set(readInteger(reader, size, "s"), size);
  reader.end("signature");
  return signature;
}

function readHeader(reader: ByteReader, tag: number, field: string): number {
  const offset = reader.offset;
  const found = reader.u8(`${field} tag`);
  if (found !== tag)
    throw new ParseError("BAD_MAGIC", `${field} tag`, { offset, expected: byte(tag), found: byte(found) });
  const length = reader.u8(`${field} length`);
  if (length > MAX_LENGTH)
    throw new ParseError("OUT_OF_RANGE", `${field} length`, {
      offset: offset + 1,
      expected: `at most ${MAX_LENGTH}`,
      found: byte(length),
    });
  return length;
}

function readInteger(reader: ByteReader, size: number, field: string): Uint8Array {
  const length = readHeader(reader, INTEGER, field);
  const offset = reader.offset;
  const digits = reader.bytes(length, field);
  const [first = 0, second = 0] = digits;
  if (length === 0 || first >= 0x80)
    throw new ParseError("OUT_OF_RANGE", field, { offset, expected: "a number above zero" });
  if (first === 0 && length > 1 && second < 0x80)
    throw new ParseError("NOT_CANONICAL", field, { offset, expected: "no leading zeros" });
  const value = first === 0 ? digits.subarray(1) : digits;
  if (value.length > size)
    throw new ParseError("TOO_LARGE", field, {
      offset,
      expected: `at most ${size} bytes`,
      found: `${value.length}`,
    });
  const padded = new Uint8Array(size);
  padded.set(value, size - value.length);
  return padded;
}

function byte(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}
