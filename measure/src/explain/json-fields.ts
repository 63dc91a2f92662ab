/**
 * JSON of strangers, read field by field: every value is of its type, bounded, and named when it is not.
 * @module
 */
import { ParseError, parseHex, quote } from "@bootproof/bytes";

/** A JSON object whose values nobody has looked at yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Longer text is no label, path or value of ours. */
const MAX_TEXT = 4096;
const MAX_LONG_TEXT = 1 << 20;

/** Demands an object. */
export function jsonRecord(value: unknown, field: string): JsonRecord {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonRecord;
  throw wrong(field, "an object", value);
}

/** Demands an array of at most `limit` items. */
export function jsonList(value: unknown, field: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(field, "an array", value);
  if (value.length > limit)
    throw new ParseError("TOO_LARGE", field, {
      expected: `at most ${limit} items`,
      found: `${value.length}`,
    });
  return value;
}

/** Demands text, perhaps of a form. */
export function jsonText(value: unknown, field: string, form?: RegExp): string {
  if (typeof value !== "string") throw wrong(field, "text", value);
  if (value.length > MAX_TEXT) throw new ParseError("TOO_LARGE", field, { expected: `at most ${MAX_TEXT}` });
  if (form !== undefined && !form.test(value)) throw wrong(field, `text of the form ${form.source}`, value);
  return value;
}

/** Demands text that may be as long as a command line: Linux takes far less. */
export function jsonLongText(value: unknown, field: string): string {
  if (typeof value !== "string") throw wrong(field, "text", value);
  if (value.length > MAX_LONG_TEXT)
    throw new ParseError("TOO_LARGE", field, { expected: `at most ${MAX_LONG_TEXT}` });
  return value;
}

/** Demands a whole number from 0 to 2^53 - 1. */
export function jsonCount(value: unknown, field: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(field, "a whole number", value);
}

/** Demands `0x` and up to 16 hex digits. */
export function jsonAddress(value: unknown, field: string): bigint {
  return BigInt(jsonText(value, field, /^0x[0-9a-f]{1,16}$/));
}

/** Demands hex of 1 to 64 bytes. */
export function jsonDigest(value: unknown, field: string): Uint8Array {
  return parseHex(jsonText(value, field, /^([0-9a-f]{2}){1,64}$/), field);
}

/** Demands hex of what an event extends: a digest, or a text of up to 2048 bytes such as the name of an IAM role. */
export function jsonExtended(value: unknown, field: string): Uint8Array {
  return parseHex(jsonText(value, field, /^(?:[0-9a-f]{2})+$/), field);
}

/** Reads a field that may be absent. */
export function optional<T>(
  record: JsonRecord,
  name: string,
  field: string,
  read: (value: unknown, field: string) => T,
): T | undefined {
  const value = record[name];
  return value === undefined || value === null ? undefined : read(value, `${field} ${name}`);
}

function wrong(field: string, expected: string, value: unknown): ParseError {
  const found = typeof value === "string" ? quote(value) : kindOf(value);
  return new ParseError("OUT_OF_RANGE", field, { expected, found });
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  return Array.isArray(value) ? "an array" : typeof value;
}
