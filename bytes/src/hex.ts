/**
 * Hexadecimal: read in any case, written in lower case.
 * @module
 */
import { ParseError } from "./parse-error.ts";

const DIGITS = "0123456789abcdef";
const BYTE_TO_HEX = Array.from(
  { length: 256 },
  (_, byte) => `${DIGITS[byte >> 4] ?? ""}${DIGITS[byte & 15] ?? ""}`,
);

/** Lower-case hex, two digits a byte. */
export function formatHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += BYTE_TO_HEX[byte] ?? "";
  return text;
}

/** Bytes of an even number of hex digits and nothing else; throws {@link ParseError}. */
export function parseHex(text: string, field: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text))
    throw new ParseError("BAD_ENCODING", field, {
      expected: "an even number of hex digits",
      found: quote(text),
    });
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}

/** `text` quoted for an error message, cut to what fits a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
