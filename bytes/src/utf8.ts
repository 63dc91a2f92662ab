/**
 * UTF-8, strictly: malformed input is refused and a byte order mark is content.
 * @module
 */
import { ParseError } from "./parse-error.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of `text`. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> =>
  encoder.encode(text) as Uint8Array<ArrayBuffer>;

/** Text of well-formed UTF-8 bytes; throws {@link ParseError}. */
export function parseUtf8(bytes: Uint8Array, field: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ParseError("BAD_ENCODING", field, { expected: "well-formed UTF-8" });
  }
}
