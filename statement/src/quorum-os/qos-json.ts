/**
 * QOS canonical JSON (tkhq/qos, src/qos_json/SPEC.md): as RFC 8785, but integers are written as text and members that
 * are null are left out.
 * @module
 */
import { formatCanonicalJson, type JsonValue } from "@bootproof/bytes";

/** The one text of a value; throws RangeError for a number that is not a whole one. */
export const formatQosJson = (value: JsonValue): string => formatCanonicalJson(normalized(value));

function normalized(value: JsonValue): JsonValue {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`);
    return String(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => normalized(item));
  // A list keeps its nulls: their places count.
  const members = Object.entries<JsonValue>(value as Readonly<Record<string, JsonValue>>);
  return Object.fromEntries(
    members.filter(([, item]) => item !== null).map(([key, item]) => [key, normalized(item)]),
  );
}
