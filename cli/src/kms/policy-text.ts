/**
 * Findings and outcomes of key policies as lines for people.
 * @module
 */
import type { KmsFinding, KmsLint, KmsSimulation } from "@bootproof/statement/kms";
import { nameOf } from "@bootproof/statement/kms";

import { oneLine } from "../report/printable.ts";
import { formatTable } from "../report/table.ts";

const SAID = {
  yes: "yes: only pinned enclaves get at plaintext",
  no: "no: others than pinned enclaves get in, or pinned ones do not",
  "could not decide": "could not decide",
} as const;

/** What the linter found, the answer last. */
export function formatLint({ answer, policies }: KmsLint): string {
  const parts = policies.map(({ within, statements, findings }) => {
    const head = within === undefined ? "" : `${oneLine(within)}\n`;
    const tail = findings.length === 0 ? `nothing found in ${statements} statements\n` : "";
    return `${head}${findings.map(formatFinding).join("")}${tail}`;
  });
  return `${parts.join("\n")}${SAID[answer]}\n`;
}

function formatFinding({ code, severity, message, fix, statement, sid, place }: KmsFinding): string {
  const where = [
    place === undefined ? "" : `line ${place.line}, column ${place.column}`,
    statement === undefined ? "" : oneLine(nameOf({ index: statement, sid })),
  ].filter((part) => part !== "");
  const at = where.length === 0 ? "" : ` (${where.join(", ")})`;
  return `${severity} ${code}${at}\n  ${oneLine(message, 1000)}\n  fix: ${oneLine(fix, 1000)}\n`;
}

/** The answer of a simulation, and each statement's part in it. */
export function formatSimulation({ answer, reason, statements, notLookedAt }: KmsSimulation): string {
  const applies = { yes: "yes", no: "no", unknown: "could not decide" } as const;
  const rows = statements.map((statement) => [
    oneLine(nameOf(statement)),
    statement.effect ?? "?",
    applies[statement.applies],
    oneLine(statement.reason, 400),
  ]);
  return (
    `${answer}: ${oneLine(reason, 1000)}\n\n${formatTable(rows, ["statement", "effect", "applies", "reason"])}` +
    `\nnot looked at: ${notLookedAt.join("; ")}\n`
  );
}
