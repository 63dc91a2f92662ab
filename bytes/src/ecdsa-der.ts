/**
 * ECDSA signatures as openssl and most key services write them: `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 section
 * 2.2.3) in DER, the one spelling that X.690 leaves.
 * @module
 */
import { DER, DerReader } from "./der.ts";
import { ParseError } from "./parse-error.ts";

/** Parses a DER signature into r and s, each left-padded to `size` bytes; throws {@link ParseError}. */
export function parseEcdsaDer(der: Uint8Array, size: number): Uint8Array {
  const outer = new DerReader(der);
  const reader = outer.inside(DER.sequence, "signature");
  outer.end("signature");
  const signature = new Uint8Array(2 * size);
  signature.set(readNumber(reader, size, "r"), 0);
  signature.set(readNumber(reader, size, "s"), size);
  reader.end("signature");
  return signature;
}

function readNumber(reader: DerReader, size: number, field: string): Uint8Array {
  const value = reader.unsigned(field);
  if (value.length > size)
    throw new ParseError("TOO_LARGE", field, { expected: `at most ${size} bytes`, found: `${value.length}` });
  const padded = new Uint8Array(size);
  padded.set(value, size - value.length);
  return padded;
}
