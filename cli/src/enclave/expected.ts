/**
 * What PCRs are expected to be, from the command line or from files of tools, and how they compare.
 * @module
 */
import { type ExpectedPcrs, parseExpectedPcrs, type PcrComparison } from "@bootproof/measure/nitro";

import { readInputText } from "../frame/files.ts";
import { usage } from "../frame/given.ts";
import { formatTable } from "../report/table.ts";

/** Reads `PCR0=...` words and files; a register that two of them name differently is a mistake of the caller. */
export async function readExpected(words: readonly string[]): Promise<ExpectedPcrs | undefined> {
  if (words.length === 0) return undefined;
  const all: Record<string, string> = {};
  for (const word of words) {
    const text = /^PCR[0-9]+[=:]/i.test(word) ? word : await readInputText(word);
    for (const [register, value] of Object.entries(parseExpectedPcrs(text))) {
      if ((all[register] ?? value) !== value) throw usage(`--expect names two values of ${register}`);
      all[register] = value;
    }
  }
  return all;
}

/** A comparison as lines. */
export function formatComparison(
  expected: ExpectedPcrs,
  { answer, differ, unpinned }: PcrComparison,
): string {
  const rows = Object.entries(expected).map(([register, value]) => {
    const other = differ.find((pcr) => pcr.register === register);
    if (other === undefined) return [register, "as expected"];
    return [
      register,
      other.found === undefined ? `not known, expected ${value}` : `DIFFERS: expected ${value}`,
    ];
  });
  const hole = unpinned.length === 0 ? "" : `nothing is expected of ${unpinned.join(", ")}\n`;
  const verdict = answer === "yes" ? "matches" : answer === "undecided" ? "could not decide" : "differs";
  return `${formatTable(rows)}${hole}${verdict}\n`;
}
