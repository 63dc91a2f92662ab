/**
 * A solution in words.
 * @module
 */
import type { Difference, Match } from "@bootproof/measure/solve";

import { oneLine } from "../report/printable.ts";
import { formatElapsed, formatTable } from "../report/table.ts";
import type { Answer } from "./solution-document.ts";

/** The answer for people. */
export function formatSolution(answer: Answer): string {
  const { match } = answer.solution;
  const lines = match === undefined ? noMatch(answer) : matchLines(answer, match);
  return lines.map((line) => (line.endsWith("\n") ? line : `${line}\n`)).join("");
}

function matchLines(answer: Answer, match: Match): string[] {
  const { solution, command, predicted, hints } = answer;
  const what = match.differences.map(sayDifference).join(", ");
  const first = what === "" ? "matches: these inputs give this launch digest" : `matches with ${what}`;
  const asGiven = solution.verdict === "match";
  return [
    match.reversed ? `${first}, but the digest's bytes are in reverse order` : first,
    ...(asGiven ? [] : [...causes(match), ...tools(match)]),
    ...(asGiven
      ? []
      : [`the inputs as given do not give it: ${predicted ?? "they are not complete, or do not launch"}`]),
    ...(solution.equivalent.length === 0
      ? []
      : [`the same by another name: ${solution.equivalent.map(sayAll).join("; or ")}`]),
    ...hints,
    ...(command === undefined || what === "" ? [] : [`type: ${command}`]),
  ];
}

function causes({ differences }: Match): string[] {
  const [first, second] = differences.filter(({ cause }) => cause !== undefined);
  if (first?.cause !== undefined && second === undefined) return [`  usual cause: ${first.cause}`];
  return differences.flatMap(({ cause, found }) =>
    cause === undefined ? [] : [`  ${oneLine(found, 80)}: ${cause}`],
  );
}

const tools = (match: Match): string[] =>
  match.tools.map((tool) => `no machine reports this digest; a tool prints it: ${tool}`);

const sayAll = ({ differences }: Match): string =>
  differences.length === 0 ? "as given" : differences.map(({ found }) => oneLine(found, 120)).join(" and ");

function sayDifference({ found, given, standing }: Difference): string {
  const value = oneLine(found, 120);
  return standing === "open" || given === undefined ? value : `${value} instead of ${oneLine(given, 120)}`;
}

function noMatch({ solution, predicted, guest: { notTried }, hints, next }: Answer): string[] {
  const { digests, seconds, axes, stages } = solution;
  const count = (value: number): string => value.toLocaleString("en");
  return [
    `no match: ${count(digests)} digests of these inputs tried in ${formatElapsed(seconds * 1000)}`,
    `the inputs as given: ${predicted ?? "they do not launch"}`,
    ...hints,
    "",
    "tried values",
    indent(
      formatTable(
        axes
          .filter(({ values }) => values > 1)
          .map(({ input, values }) => [NAMES[input] ?? input, count(values)]),
      ),
    ),
    "tried combinations",
    indent(
      formatTable(
        // What is left of a stage after the ones before it may be nothing.
        stages
          .filter((stage) => stage.digests > 0 || !stage.complete)
          .map((stage) => [stage.name, count(stage.digests), stage.complete ? "" : "left before its end"]),
      ),
    ),
    ...(notTried.length === 0
      ? []
      : ["not tried", indent(formatTable(notTried.map(({ what, why }) => [what, why])))]),
    "next",
    ...next.map((line) => `  ${line}`),
  ];
}

const NAMES: Readonly<Record<string, string>> = {
  vcpus: "vCPU counts",
  cpu: "CPU signatures",
  guestFeatures: "guest feature sets",
  profile: "profiles",
  reading: "readings of the IGVM file",
  firmware: "firmware, whole or split",
  sections: "ways to measure sections",
  kernelHashes: "kernel hashes on or off",
  bootFiles: "arrangements of kernel and initrd",
  cmdline: "command lines",
};

const indent = (text: string): string => text.replace(/^(?=.)/gm, "  ");
