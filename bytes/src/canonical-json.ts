/**
 * JSON in one spelling: keys sorted by UTF-16 code unit, no space, numbers and escapes as RFC 8785 (JCS) writes them.
 * Same value, same bytes, so that signing twice signs the same thing.
 * @module
 */
import { isExact, type JsonValue } from "./strict-json.ts";

/** The one text of `value`; throws RangeError for what JSON cannot hold. */
export function formatCanonicalJson(value: JsonValue): string {
  if (typeof value === "number" && !isExact(value)) throw new RangeError(`${value} has no exact JSON form`);
  if (typeof value === "string" && !value.isWellFormed())
    throw new RangeError("a lone surrogate has no UTF-8 form");
  // JSON.stringify writes numbers and strings exactly as JCS asks for.
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(formatCanonicalJson).join(",")}]`;
  // As JSON.stringify does, a property that is undefined is left out.
  const members = Object.entries(value).filter(([, member]: [string, unknown]) => member !== undefined);
  const sorted = members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, member]) => `${formatCanonicalJson(key)}:${formatCanonicalJson(member)}`).join(",")}}`;
}

/** Array.isArray does not narrow a readonly array. */
const isArray = (value: object): value is readonly JsonValue[] => Array.isArray(value);
