/**
 * An explanation for people: whether they agree, the first difference, the others, the exact numbers, what to do next.
 * @module
 */
import type { Explanation, Finding } from "@bootproof/measure";

import type { Context } from "../frame/context.ts";
import { typedHere } from "../frame/typed.ts";
import { paint } from "../report/paint.ts";
import { oneLine, printable } from "../report/printable.ts";
import { formatFields, formatTable } from "../report/table.ts";

/** More groups than these are counted, not listed; --json has them. */
const MAX_GROUPS = 20;
const MAX_LINE = 400;

/** The files of both sides. */
export interface ExplainedFiles {
  readonly a: { readonly file: string };
  readonly b: { readonly file: string };
}

/** An explanation as lines for people. */
export function formatExplanation(
  { a, b }: ExplainedFiles,
  explanation: Explanation,
  { color, command }: Pick<Context, "color" | "command">,
): string {
  const { first, others, unseen, next } = explanation;
  const parts = [
    `${verdictLine(explanation, color)}\n${formatFields([
      ["A", printable(a.file)],
      ["B", printable(b.file)],
    ])}`,
    first === undefined ? "" : formatFinding("first difference: ", first),
    ...others.map((finding) => formatFinding("also: ", finding)),
    ...unseen.map((finding) => formatFinding("differs, and no register sees it: ", finding)),
    formatRegisters(explanation),
    formatEvents(explanation),
    next.map((step) => `next: ${typedHere(step, command)}\n`).join(""),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function verdictLine({ verdict, problems }: Explanation, color: boolean): string {
  const line = verdictText(verdict, color);
  const { a, b } = problems ?? {};
  const problem = (side: string, text: string | undefined): string =>
    text === undefined ? "" : `\n${side} cannot be launched: ${oneLine(text, MAX_LINE)}`;
  return `${line}${problem("A", a)}${problem("B", b)}`;
}

function verdictText(verdict: Explanation["verdict"], color: boolean): string {
  switch (verdict) {
    case "same":
      return paint("A and B measure the same", "green", color);
    case "differs":
      return paint("A and B measure differently", "red", color);
    case "undecided":
      return paint("could not decide whether A and B measure the same", "yellow", color);
  }
}

function formatFinding(lead: string, { what, a, b, details }: Finding): string {
  const line = (text: string): string => `  ${oneLine(text, MAX_LINE)}\n`;
  const values = [...(a === undefined ? [] : [`A  ${a}`]), ...(b === undefined ? [] : [`B  ${b}`])];
  return `${lead}${oneLine(what, MAX_LINE)}\n${[...values, ...details].map(line).join("")}`;
}

function formatRegisters({ registers, problems }: Explanation): string {
  const absent = (problem: string | undefined): string => (problem === undefined ? "not known" : "none");
  return registers
    .map(({ name, a = absent(problems?.a), b = absent(problems?.b) }) =>
      a === b ? `${name}\n  both  ${a}\n` : `${name}\n  A  ${a}\n  B  ${b}\n`,
    )
    .join("");
}

function formatEvents({ events }: Explanation): string {
  if (events === undefined || events.groups.length === 0) return "";
  const shown = events.groups.slice(0, MAX_GROUPS);
  const rows = shown.map(({ eventIndex, kind, count, type, guestAddress, label }) => [
    String(eventIndex),
    kind,
    String(count),
    type,
    guestAddress ?? "",
    oneLine(label),
  ]);
  const more = events.groups.length - shown.length + events.more;
  const rest = more === 0 ? "" : `... and ${String(more)} more groups\n`;
  return formatTable(rows, ["event", "differs in", "events", "type", "guest address", "what"]) + rest;
}
