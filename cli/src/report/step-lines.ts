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
      // Steps run side by side, so a line names what it belongs to; the outermost step is plain from the start.
      const name = [...step.above.slice(1), step.label].map((label) => oneLine(label)).join(": ");
      const indent = depth === 0 ? "" : "  ";
      write(`${indent}${name} ${change === "started" ? "..." : endText(step)}\n`);
    },
    line: (text) => write(`${text}\n`),
    close: () => undefined,
  };
}

function endText(step: Step): string {
  const elapsed = formatElapsed((step.endedAt ?? step.startedAt) - step.startedAt);
  const note = step.note === "" ? "" : `: ${oneLine(step.note)}`;
  return `${step.state} (${elapsed})${note}`;
}

/** A view that shows nothing. */
export function noSteps(): StepView {
  return { changed: () => undefined, line: () => undefined, close: () => undefined };
}
