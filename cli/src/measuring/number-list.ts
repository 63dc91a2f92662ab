/**
 * Axes as people type them: `1..64`, `1,2,4`, `EPYC-v4,EPYC-Genoa`.
 * @module
 */
import { badValue, parseUnsigned } from "../frame/given.ts";

const MAX_VALUES = 4096;

/** The parts of a comma-separated list; none may be empty, and none may stand twice. */
export function parseList(flag: string, text: string): string[] {
  const parts = text.split(",");
  const twice = parts.find((part, index) => parts.indexOf(part) !== index);
  if (parts.includes("")) throw badValue(flag, "values with single commas between them", text);
  if (twice !== undefined) throw badValue(flag, "each value once", twice);
  if (parts.length > MAX_VALUES) throw badValue(flag, `at most ${MAX_VALUES} values`, String(parts.length));
  return parts;
}

/** Numbers of a list whose parts may be ranges `1..64` (or `1-64`); each number once, in the order typed. */
export function parseNumbers(flag: string, text: string, limit: number): number[] {
  const numbers = new Set<number>();
  for (const part of parseList(flag, text)) {
    const [first = "", last = first, more] = part.split(/\.\.|-/);
    if (more !== undefined || first === "" || last === "")
      throw badValue(flag, "a number or a range such as 1..64", part);
    const [low, high] = [first, last].map((word) => Number(parseUnsigned(flag, word, BigInt(limit))));
    if (low === undefined || high === undefined || low > high)
      throw badValue(flag, "a range from the smaller number to the larger", part);
    if (high - low >= MAX_VALUES) throw badValue(flag, `at most ${MAX_VALUES} values`, part);
    for (let number = low; number <= high; number++) numbers.add(number);
  }
  return [...numbers];
}
