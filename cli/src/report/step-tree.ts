/**
 * Steps as a tree on a terminal, redrawn in place ten times a second at most.
 * @module
 */
import { paint } from "./paint.ts";
import { oneLine } from "./printable.ts";
import type { Step, StepView } from "./progress.ts";
import { formatElapsed } from "./table.ts";

const REDRAW_MS = 100;
const MARKS = { running: "…", done: "✓", failed: "✗" } as const;
const PAINTS = { running: "cyan", done: "green", failed: "red" } as const;

/** The terminal a tree is drawn on. */
export interface Screen {
  write(text: string): void;
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  now(): number;
}

/** A view that keeps the tree at the bottom of the screen until it is closed. */
export function stepTree(screen: Screen, roots: readonly Step[]): StepView {
  let drawn = 0;
  let pending = "";
  const draw = (final: boolean): void => {
    const lines = treeLines(roots, screen, final);
    const up = drawn === 0 ? "" : `\u001b[${String(drawn)}A`;
    screen.write(`${up}\r\u001b[J${pending}${lines.map((line) => `${line}\n`).join("")}`);
    pending = "";
    drawn = lines.length;
  };
  const timer = setInterval(() => draw(false), REDRAW_MS);
  timer.unref();
  return {
    changed: () => undefined,
    line: (text) => (pending += `${text}\n`),
    close() {
      clearInterval(timer);
      draw(true);
    },
  };
}

/** The tree as lines; while running it is cut to the screen's height, the oldest finished steps first. */
export function treeLines(roots: readonly Step[], screen: Screen, final: boolean): string[] {
  const all: { step: Step; depth: number }[] = [];
  const walk = (steps: readonly Step[], depth: number): void => {
    for (const step of steps) {
      all.push({ step, depth });
      // A finished step folds away what was below it, so that the tree shows where work is going on.
      if (step.state !== "done") walk(step.steps, depth + 1);
    }
  };
  walk(roots, 0);
  const room = final ? all.length : Math.max(1, screen.rows - 2);
  while (all.length > room) {
    const oldest = all.findIndex(({ step }) => step.state === "done");
    all.splice(oldest === -1 ? 0 : oldest, 1);
  }
  return all.map(({ step, depth }) => treeLine(step, depth, screen));
}

function treeLine(step: Step, depth: number, screen: Screen): string {
  const elapsed = formatElapsed((step.endedAt ?? screen.now()) - step.startedAt);
  const head = `${"  ".repeat(depth)}${MARKS[step.state]} `;
  const text = `${oneLine(step.label)}${step.note === "" ? "" : `  ${oneLine(step.note)}`}`;
  const room = Math.max(8, screen.columns - head.length - elapsed.length - 3);
  const cut = text.length > room ? `${text.slice(0, room - 1)}…` : text;
  return `${paint(head, PAINTS[step.state], screen.color)}${cut}  ${paint(elapsed, "dim", screen.color)}`;
}
