/**
 * EFI GUIDs: 16 bytes, the first three fields little-endian (UEFI 2.10 appendix A).
 * @module
 */
import { formatHex, parseHex, quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";

const ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** Lower-case text of a GUID's 16 bytes. */
export function formatGuid(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`a GUID has 16 bytes, not ${bytes.length}`);
  const hex = formatHex(Uint8Array.from(ORDER, (index) => bytes[index] ?? 0));
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The 16 bytes of a GUID's text; throws {@link ParseError}. */
export function parseGuid(text: string, field: string): Uint8Array<ArrayBuffer> {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text))
    throw new ParseError("BAD_ENCODING", field, { expected: "a GUID", found: quote(text) });
  const plain = parseHex(text.replaceAll("-", ""), field);
  return Uint8Array.from(ORDER, (index) => plain[index] ?? 0);
}
