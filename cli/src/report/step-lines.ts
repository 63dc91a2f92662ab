/**
 * Steps as plain lines, for logs and CI: one when a step starts, one when it ends.
 * @module
 */
import { oneLine } from "./printable.ts";
import type { Step, StepView } from "./progress.ts";
import { formatElapsed } from "./table.ts";

/** A view that writes a line for each start and end, and none for what happens between. */
export function stepLines(write: (text: string) => void): StepView {
  return {
    changed(step, depth, change) {
      if (change === "updated") return;
      const indent = "  ".repeat(depth);
      write(`${indent}${change === "started" ? `${oneLine(step.label)} ...` : endLine(step)}\n`);
    },
    line: (text) => write(`${text}\n`),
    close: () => undefined,
  };
}

function endLine(step: Step): string {
  const elapsed = formatElapsed((step.endedAt ?? step.startedAt) - step.startedAt);
  const note = step.note === "" ? "" : `: ${oneLine(step.note)}`;
  return `${oneLine(step.label)} ${step.state} (${elapsed})${note}`;
}

/** A view that shows nothing. */
export function noSteps(): StepView {
  return { changed: () => undefined, line: () => undefined, close: () => undefined };
}
