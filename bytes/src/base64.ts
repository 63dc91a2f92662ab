/**
 * Standard base64 with padding (RFC 4648 section 4), canonical only: no white space, no URL-safe letters, no stray
 * trailing bits. What engines accept differs, and signed text must have one spelling.
 * @module
 */
import { quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map(Array.from(ALPHABET, (letter, value) => [letter.charCodeAt(0), value]));

/** Standard base64 with padding. */
export function formatBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index;
    const word = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    const letter = (shift: number): string => ALPHABET[(word >> shift) & 63] ?? "";
    pieces.push(letter(18) + letter(12) + (left > 1 ? letter(6) : "=") + (left > 2 ? letter(0) : "="));
  }
  return pieces.join("");
}

/** Bytes of canonical base64; throws {@link ParseError} for every other spelling. */
export function parseBase64(text: string, field: string): Uint8Array<ArrayBuffer> {
  const fail = (): ParseError =>
    new ParseError("BAD_ENCODING", field, { expected: "canonical standard base64", found: quote(text) });
  if (text.length % 4 !== 0) throw fail();
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const letters = text.length - padding;
  let word = 0;
  let bits = 0;
  let written = 0;
  for (let index = 0; index < letters; index++) {
    const value = VALUES.get(text.charCodeAt(index));
    if (value === undefined) throw fail();
    word = ((word << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[written++] = (word >> bits) & 0xff;
    }
  }
  if ((word & ((1 << bits) - 1)) !== 0) throw fail();
  return bytes;
}
