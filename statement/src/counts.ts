/**
 * An axis of whole numbers as text: `1..8`, `1,2,4..8`; ascending, in its one shortest spelling.
 * @module
 */
import { parseDecimal, ParseError, quote } from "@bootproof/bytes";

/** More vCPUs than any machine has; bounds what a text of a few letters expands to. */
const MAX_COUNT = 4096n;

/** The text of a set of positive whole numbers. */
export function formatCounts(counts: readonly number[]): string {
  const sorted = [...new Set(counts)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    for (end = start + 1; end < sorted.length && sorted[end] === (sorted[end - 1] ?? 0) + 1;) end++;
    const [first, last] = [sorted[start] ?? 0, sorted[end - 1] ?? 0];
    parts.push(first === last ? `${first}` : `${first}..${last}`);
  }
  return parts.join(",");
}

/** The numbers of an axis; throws {@link ParseError} for any but the shortest spelling. */
export function parseCounts(text: string, field: string): number[] {
  const counts = text.split(",").flatMap((part) => {
    const ends = part.split("..");
    const [first, last = first] = ends.map((end) => Number(parseDecimal(end, field, MAX_COUNT)));
    if (first === undefined || last === undefined || first < 1 || ends.length > 2 || last < first)
      throw new ParseError("OUT_OF_RANGE", field, {
        expected: "numbers or ranges from 1",
        found: quote(part),
      });
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  if (formatCounts(counts) !== text)
    throw new ParseError("NOT_CANONICAL", field, {
      expected: quote(formatCounts(counts)),
      found: quote(text),
    });
  return counts;
}
