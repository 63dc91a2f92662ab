/**
 * What a statement may not hold although its schema lets it.
 * @module
 */
import { parseStrictJson, ParseError, type JsonValue } from "@bootproof/bytes";
import { readProvenance, zeroValues } from "@bootproof/statement";
import { expansionSize, MAX_LOOKUP_KEYS, type ReadStatement } from "@bootproof/verify";

/** Half of what an index holds of one entry: artifacts and single registers have room besides. */
const MAX_SHAPES = MAX_LOOKUP_KEYS / 2;

/** CPUs times features times the largest vCPU count: each lookup that hits the release measures them again. */
const MAX_VMSAS = 32_768;

/** Keys that JavaScript's objects treat specially: some readers skip them, others do not. */
const UNSAFE: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Whether any object in a JSON text has such a key; false for what is no JSON, which others refuse. */
export function hasUnsafeKeys(payload: Uint8Array): boolean {
  try {
    return hasUnsafe(parseStrictJson(payload, "statement"));
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

/** Why the values of a statement are refused; undefined when they are not. Throws ParseError for a broken provenance. */
export function valuesRefused(read: ReadStatement): string | undefined {
  if (read.kind === "provenance") readProvenance(read.statement);
  if (read.kind !== "boot-measurement") return undefined;
  const { measurements } = read.statement.predicate;
  const zero = measurements.flatMap(zeroValues);
  if (zero.length > 0) return `an all-zero value is no measurement: ${zero.slice(0, 5).join(", ")}`;
  const sizes = measurements.map(expansionSize);
  const shapes = sizes.reduce((sum, size) => sum + size.shapes, 0);
  const vmsas = sizes.reduce((sum, size) => sum + size.vmsas, 0);
  if (shapes > MAX_SHAPES) return `${shapes} shapes; name at most ${MAX_SHAPES} in one release`;
  return vmsas > MAX_VMSAS
    ? `${vmsas} VMSAs to measure; name at most ${MAX_VMSAS} in one release`
    : undefined;
}

function hasUnsafe(value: JsonValue): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, member]: [string, JsonValue]) => UNSAFE.has(key) || hasUnsafe(member),
  );
}
