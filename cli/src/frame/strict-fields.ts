/**
 * Fields of our own JSON files: every key is known, every value has its type and bounds, or ParseError says which not.
 * @module
 */
import { ParseError, quote, type JsonValue } from "@bootproof/bytes";

/** The keys of a record. */
export interface RecordShape {
  /** The value of its key `schema`. */
  readonly schema: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** An object with these keys and no other. */
export function readRecord(
  value: JsonValue,
  field: string,
  shape: RecordShape,
): Readonly<Record<string, JsonValue>> {
  const record = readObject(value, field, { ...shape, required: ["schema", ...shape.required] });
  if (record["schema"] !== shape.schema)
    throw new ParseError("UNSUPPORTED", `${field} schema`, {
      expected: shape.schema,
      found: typeof record["schema"] === "string" ? quote(record["schema"]) : "no text",
    });
  return record;
}

/** An object with these keys and no other, inside a record. */
export function readObject(
  value: JsonValue,
  field: string,
  { required, optional }: Omit<RecordShape, "schema">,
): Readonly<Record<string, JsonValue>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ParseError("BAD_ENCODING", field, { expected: "an object" });
  const record = value as Readonly<Record<string, JsonValue>>;
  for (const key of Object.keys(record))
    if (!required.includes(key) && !optional.includes(key))
      throw new ParseError("UNSUPPORTED", field, {
        expected: `only ${[...required, ...optional].join(", ")}`,
        found: quote(key),
      });
  for (const key of required)
    if (!Object.hasOwn(record, key)) throw new ParseError("MISSING", `${field} ${key}`);
  return record;
}

/** A list. */
export function readList(
  value: JsonValue | undefined,
  field: string,
  { min, max }: { readonly min: number; readonly max: number },
): readonly JsonValue[] {
  if (!Array.isArray(value)) throw new ParseError("BAD_ENCODING", field, { expected: "a list" });
  if (value.length >= min && value.length <= max) return value as readonly JsonValue[];
  throw new ParseError("OUT_OF_RANGE", field, {
    expected: `${min} to ${max} items`,
    found: `${value.length}`,
  });
}

/** Text of 1 to `max` characters; what was found is never quoted. */
export function readText(
  value: JsonValue | undefined,
  field: string,
  {
    max,
    pattern = /^/,
    expected = "text",
  }: { readonly max: number; readonly pattern?: RegExp; readonly expected?: string },
): string {
  if (typeof value !== "string") throw new ParseError("BAD_ENCODING", field, { expected: "text" });
  if (value.length < 1 || value.length > max)
    throw new ParseError("OUT_OF_RANGE", field, {
      expected: `1 to ${max} characters`,
      found: `${value.length}`,
    });
  if (!pattern.test(value)) throw new ParseError("NOT_CANONICAL", field, { expected });
  return value;
}

/** A whole number. */
export function readWhole(
  value: JsonValue,
  field: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ParseError("OUT_OF_RANGE", field, { expected: `a whole number from ${min} to ${max}` });
}
