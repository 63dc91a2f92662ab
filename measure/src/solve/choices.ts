/**
 * Choices in the order in which they are tried. One at a time, so that no product of axes is ever held in memory.
 * @module
 */
import type { Axis, Choice } from "./axis.ts";

/** Which choices to make. */
export interface Selection {
  /** How many inputs are changed; any number when absent. */
  readonly deviations?: number;
  /** Names of the axes that may change; all when absent. Open axes always may. */
  readonly axes?: ReadonlySet<string>;
  /** Whether rare candidates take part. */
  readonly rare?: boolean;
}

/** All choices of a selection; candidates of the last axis change fastest. */
export function* choices(axes: readonly Axis[], selection: Selection): Generator<Choice, void, undefined> {
  yield* extend([], axes, selection, selection.deviations);
}

function* extend(
  chosen: Choice,
  axes: readonly Axis[],
  selection: Selection,
  left: number | undefined,
): Generator<Choice, void, undefined> {
  const axis = axes[chosen.length];
  if (axis === undefined) {
    if (left === undefined || left === 0) yield chosen;
    return;
  }
  // A branch that cannot reach the number of deviations any more is not walked.
  if (left !== undefined && left > axes.length - chosen.length) return;
  yield* extend([...chosen, 0], axes, selection, left);
  const open = axis.standing === "open";
  if (!open && (left === 0 || selection.axes?.has(axis.name) === false)) return;
  const remaining = open || left === undefined ? left : left - 1;
  for (let position = 1; position < axis.candidates.length; position++) {
    if (axis.candidates[position]?.rare === true && selection.rare !== true) continue;
    yield* extend([...chosen, position], axes, selection, remaining);
  }
}
