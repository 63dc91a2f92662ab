/**
 * Verdicts: one line and one reason for each check.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { Answer, BundleVerdict } from "@bootproof/verify";

import { paint, type Paint } from "./paint.ts";
import { oneLine, printable } from "./printable.ts";

const SPOKEN: Readonly<Record<Answer, string>> = { yes: "yes", no: "no", undecided: "could not decide" };
const PAINTS: Readonly<Record<Answer, Paint>> = { yes: "green", no: "red", undecided: "yellow" };

/** A verdict as lines for people. */
export function formatVerdict(
  file: string,
  verdict: Pick<BundleVerdict, "answer" | "checks" | "skipped">,
  color: boolean,
): string {
  const names = [...verdict.checks, ...verdict.skipped].map(({ name }) => oneLine(name));
  const width = Math.max(...names.map((name) => name.length));
  const line = (answer: string, painted: Paint, name: string, reason: string): string =>
    `${paint(answer.padEnd(16), painted, color)}  ${oneLine(name).padEnd(width)}  ${oneLine(reason, 1000)}\n`;
  const checks = verdict.checks.map(({ name, answer, reason }) =>
    line(SPOKEN[answer], PAINTS[answer], name, reason),
  );
  const skipped = verdict.skipped.map(({ name, reason }) => line("not asked", "dim", name, reason));
  const answer = paint(SPOKEN[verdict.answer], PAINTS[verdict.answer], color);
  return `${printable(file)}\n${checks.join("")}${skipped.join("")}${answer}\n`;
}

/** Verdicts for programs; one release's fields stand at the top. */
export function verdictDocument(verdicts: readonly { file: string; verdict: BundleVerdict }[]): object {
  const documents = verdicts.map(({ file, verdict }) => oneDocument(file, verdict));
  return documents.length === 1 ? { ...documents[0] } : { bundles: documents };
}

function oneDocument(
  file: string,
  { answer, checks, skipped, place, witnesses, publisher, release }: BundleVerdict,
): object {
  return {
    file,
    answer,
    checks,
    skipped,
    log: {
      origin: place.origin,
      index: Number(place.index),
      size: Number(place.size),
      leafHash: formatHex(place.leafHash),
    },
    witnesses: witnesses.map(({ name, timestamp }) => ({ name, timestamp: Number(timestamp) })),
    ...(publisher && { publisher: publisher.organisation }),
    ...(release && { release: release.predicate.release }),
  };
}
