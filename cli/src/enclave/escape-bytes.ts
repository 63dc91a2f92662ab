/**
 * Bytes that are meant to be text, shown so that no two byte strings look alike.
 * @module
 */

const NAMED: Readonly<Record<number, string>> = { 0x0a: "\\n", 0x09: "\\t", 0x5c: "\\\\", 0x27: "\\'" };

/** Printable ASCII as it is, everything else as an escape, in quotes. */
export function escapeBytes(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => {
    const printed = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hexEscape(byte);
    return NAMED[byte] ?? printed;
  });
  return `'${text.join("")}'`;
}

const hexEscape = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`;
