/**
 * valibot schemas over parsed JSON, and the ParseError that says which field breaks which rule.
 * @module
 */
import { ParseError, quote, type ParseErrorCode } from "@bootproof/bytes";
import * as v from "valibot";

/** A schema from anything to `T`. */
export type Schema<T> = v.GenericSchema<unknown, T>;

/** Checks `value` against `schema`; throws {@link ParseError} naming the first field that breaks it. */
export function checkSchema<T>(schema: Schema<T>, value: unknown, field: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const expected = issue.kind === "validation" || issue.expected === null ? issue.message : issue.expected;
  throw new ParseError(codeOf(issue), path === null ? field : `${field} ${path}`, {
    expected: issue.expected === "never" ? "no such key" : expected,
    found: issue.received === "undefined" ? "nothing" : quote(issue.received),
  });
}

function codeOf(issue: v.BaseIssue<unknown>): ParseErrorCode {
  if (issue.expected === "never") return "UNSUPPORTED";
  if (issue.received === "undefined") return "MISSING";
  return issue.kind === "validation" ? "NOT_CANONICAL" : "BAD_ENCODING";
}

/** Text without control characters, of 1 to `max` UTF-16 units. */
export const text = (max = 200): Schema<string> =>
  v.pipe(
    v.string(),
    v.minLength(1, "at least one character"),
    v.maxLength(max, `at most ${max} characters`),
    v.regex(/^\P{Cc}*$/u, "no control characters"),
  );

/** Lower-case hex of exactly `bytes` bytes. */
export const hex = (bytes: number): Schema<string> =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `${bytes} bytes of lower-case hex`));

/** A number of bytes. */
export const size: Schema<number> = v.pipe(
  v.number(),
  v.safeInteger("a whole number"),
  v.minValue(0, "no negative number"),
);

/** A blob by digest and size, as in the Remote Execution API. */
export interface BlobDigest {
  readonly sha256: string;
  readonly size: number;
}

/** {@link BlobDigest}. */
export const blobDigest: Schema<BlobDigest> = v.strictObject({ sha256: hex(32), size });

/** A list of at most `max` items, no two with the same key. */
export const listOf = <T>(item: Schema<T>, max: number, keyOf: (item: T) => string): Schema<T[]> =>
  v.pipe(
    v.array(item),
    v.maxLength(max, `at most ${max} entries`),
    v.check((items) => new Set(items.map(keyOf)).size === items.length, "no entry twice"),
  );

/** Orders by name, in UTF-16 code units as canonical JSON orders its keys. */
export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
