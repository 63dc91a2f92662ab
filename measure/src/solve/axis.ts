/**
 * The inputs of a measurement as a solver sees them: what was given, and what it may have been instead.
 * @module
 */

/** Whether the user stated a value, left it at its default, or does not know it. */
export type Standing = "given" | "assumed" | "open";

/** One value that an input may have had. */
export interface Candidate<Value> {
  readonly value: Value;
  /** The value in words: `8 vCPUs`, `guest features 0x21`. */
  readonly label: string;
  /** How unlikely: 0 for what was given, more for what is rarer. */
  readonly surprise: number;
  /** Rare values are left out where values of many inputs are combined. */
  readonly rare?: boolean;
  /** How an input comes to have this value. */
  readonly cause?: string;
  /** The tool whose known mistake this is: no hardware reports the digest. */
  readonly tool?: string;
}

/** One input and its values; the first is the one given or assumed, or of an open axis the likeliest. */
export interface Axis<Value = unknown> {
  readonly name: string;
  readonly standing: Standing;
  readonly candidates: readonly [Candidate<Value>, ...Candidate<Value>[]];
}

/** For each axis, the position of one of its candidates. */
export type Choice = readonly number[];

/** How many inputs a choice changes: those of open axes do not count. */
export function deviationsOf(axes: readonly Axis[], choice: Choice): number {
  return choice.filter((position, index) => position > 0 && axes[index]?.standing !== "open").length;
}

/** How unlikely a choice is: the sum over its candidates. */
export function surpriseOf(axes: readonly Axis[], choice: Choice): number {
  return choice.reduce((sum, position, index) => sum + candidateAt(axes[index], position).surprise, 0);
}

/** A candidate of an axis; throws {@link RangeError} where the choice belongs to other axes. */
export function candidateAt<Value>(axis: Axis<Value> | undefined, position = 0): Candidate<Value> {
  const candidate = axis?.candidates[position];
  if (candidate === undefined) throw new RangeError(`axis ${axis?.name ?? "?"} has no candidate ${position}`);
  return candidate;
}

/** The axis with each value turned into another. */
export function mapAxis<From, To>(axis: Axis<From>, turn: (value: From) => To): Axis<To> {
  const [first, ...others] = axis.candidates;
  const turned = (candidate: Candidate<From>): Candidate<To> => ({
    ...candidate,
    value: turn(candidate.value),
  });
  return { ...axis, candidates: [turned(first), ...others.map(turned)] };
}
