/**
 * Numbers, booleans and blobs in QEMU's options, as QEMU reads them.
 * @module
 */
import { parseBase64, ParseError } from "@bootproof/bytes";

import { MeasureError } from "../measure-error.ts";

/** Reads an unsigned number: decimal, 0x hex, or octal after a 0; throws {@link MeasureError} BP-MACHINE-003. */
export function parseNumber(text: string, what: string, max: bigint): bigint {
  const digits = /^\s*\+?(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,24})$/.exec(text)?.[1];
  const octal = digits !== undefined && /^0[0-9]/.test(digits);
  if (digits === undefined || (octal && /[89]/.test(digits))) throw badValue(what, "a number", text);
  const value = BigInt(octal ? `0o${digits}` : digits);
  if (value > max) throw badValue(what, `at most ${max}`, text);
  return value;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  on: true,
  yes: true,
  true: true,
  y: true,
  off: false,
  no: false,
  false: false,
  n: false,
};

/** Reads a boolean; throws {@link MeasureError} BP-MACHINE-003. */
export function parseSwitch(text: string, what: string): boolean {
  const value = Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined;
  if (value === undefined) throw badValue(what, "on or off", text);
  return value;
}

/** Reads base64 of exactly `length` bytes; throws {@link MeasureError} BP-MACHINE-003. */
export function parseBlob(text: string, what: string, length: number): Uint8Array {
  const bytes = decode(text, what);
  if (bytes.length !== length) throw badValue(what, `${length} bytes in base64`, `${bytes.length} bytes`);
  return bytes;
}

function decode(text: string, what: string): Uint8Array {
  try {
    // QEMU takes line breaks in base64.
    return parseBase64(text.replaceAll("\n", ""), what);
  } catch (error) {
    if (error instanceof ParseError) throw badValue(what, "base64", text);
    throw error;
  }
}

/** A value that QEMU refuses. */
export function badValue(what: string, expected: string, found: string): MeasureError {
  return new MeasureError("BP-MACHINE-003", `${what} has a value that QEMU refuses`, {
    expected,
    found: found.length > 80 ? `${found.slice(0, 80)}...` : found,
  });
}
