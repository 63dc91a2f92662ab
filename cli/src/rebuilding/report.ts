/**
 * What `rebuild` prints: how the bundle stood, what came out, and where the confirmation is.
 * @module
 */
import { formatHex } from "@bootproof/bytes";

import { paint } from "../report/paint.ts";
import { printable } from "../report/printable.ts";
import { formatFields, formatTable } from "../report/table.ts";
import { formatVerdict } from "../report/verdict.ts";
import type { RebuildOutcome } from "./outcome.ts";

/** One bundle's outcome as lines for people. */
export function formatOutcome(outcome: RebuildOutcome, color: boolean): string {
  const { bundle, published, checked, rebuilt, confirmation, differences } = outcome;
  const { name, version } = published.predicate.release;
  const parts = [
    checked === undefined
      ? `${printable(bundle)}: not checked against a policy\n`
      : `${formatVerdict(bundle, checked.verdict, color)}policy: ${printable(checked.policy)}\n`,
  ];
  if (rebuilt === undefined)
    return `${parts.join("")}\nnot rebuilt: the policy does not accept this bundle\n`;
  const rows = rebuilt.artifacts.map(({ name: artifact, expected, found }) => {
    if (found === undefined) return ["nothing", artifact, `expected ${expected.sha256}`];
    if (found.sha256 === expected.sha256) return ["IDENTICAL", artifact, found.sha256];
    return [
      "DIVERGED",
      artifact,
      `expected ${expected.sha256}, found ${found.sha256} ${differences.get(artifact) ?? ""}`.trim(),
    ];
  });
  parts.push(formatTable(rows));
  const { compared, differ } = rebuilt.registers;
  const registers = differ.map(({ platform, shape, register, expected, found }) => [
    "differs",
    `${platform} ${shape} ${register}`,
    `expected ${expected}, found ${found}`,
  ]);
  const fields: [string, string][] = [
    ["registers", compared === 0 ? "none compared" : `${compared - differ.length} of ${compared} equal`],
    ...(rebuilt.reason === undefined ? [] : ([["reason", rebuilt.reason]] as [string, string][])),
    ["confirmation", confirmation?.file ?? "none"],
    ["submitted", submittedText(outcome)],
  ];
  parts.push(formatTable(registers) + formatFields(fields));
  if (rebuilt.failure !== undefined) parts.push(`${printable(rebuilt.failure.message)}\n`);
  const good = rebuilt.verdict === "IDENTICAL" || rebuilt.verdict === "MEASUREMENT-EQUAL";
  parts.push(`${paint(rebuilt.verdict, good ? "green" : "red", color)}: ${name} ${version}\n`);
  return parts.filter((part) => part !== "").join("\n");
}

/** One bundle's outcome for programs. */
export function outcomeDocument(outcome: RebuildOutcome): object {
  const { bundle, published, checked, rebuilt, confirmation, differences } = outcome;
  return {
    bundle,
    release: published.predicate.release,
    policy: checked === undefined ? null : checked.policy,
    answer: checked === undefined ? "not checked" : checked.verdict.answer,
    checks: checked?.verdict.checks ?? [],
    ...(checked && { leafHash: formatHex(checked.verdict.place.leafHash) }),
    verdict: rebuilt?.verdict ?? null,
    ...(rebuilt && {
      artifacts: rebuilt.artifacts.map((artifact) => ({
        ...artifact,
        difference: differences.get(artifact.name),
      })),
      registers: rebuilt.registers,
      actions: rebuilt.actions,
      reason: rebuilt.reason,
    }),
    ...(confirmation && {
      confirmation: confirmation.file,
      ...(confirmation.submitted && {
        submitted: {
          index: Number(confirmation.submitted.index),
          duplicate: confirmation.submitted.duplicate,
          bundle: confirmation.submitted.bundle,
        },
      }),
    }),
  };
}

function submittedText({ confirmation }: RebuildOutcome): string {
  const submitted = confirmation?.submitted;
  if (submitted === undefined) return "no (--submit logs it)";
  return `index ${submitted.index}${submitted.duplicate ? " (was there)" : ""}, ${submitted.bundle}`;
}
