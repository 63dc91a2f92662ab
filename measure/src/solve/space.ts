/**
 * What a platform tells the solver: its axes, and how a choice of candidates becomes digests.
 * @module
 */
import type { ParseError } from "@bootproof/bytes";
import type { MeasureError } from "../measure-error.ts";
import type { Axis, Choice, Standing } from "./axis.ts";

/** A needle's place in a climb. */
export interface Found {
  readonly rung: number;
  /** Which needle was found. */
  readonly needle: number;
}

/**
 * The digests of one choice along the axis whose values follow from one another, such as the number of vCPUs:
 * each further rung costs one extend. Platforms without such an axis have climbs of one rung.
 */
export interface Climb {
  /** Climbs with equal keys have equal digests; each is walked once. */
  readonly key: string;
  /** The digest of one rung. */
  digest(rung: number): Uint8Array;
  /** Looks for a digest among the rungs up to `rungs`. */
  find(needles: readonly Uint8Array[], rungs: number): Found | undefined;
}

/** Why nothing launches that way. */
export type Refusal = ParseError | MeasureError;

/** The axis along which climbs go. */
export interface Ladder {
  readonly name: string;
  readonly standing: Standing;
  /** The rung that was given; of an open ladder, any. */
  readonly given: number | undefined;
  readonly rungs: number;
  /** A rung in words. */
  label(rung: number): string;
  /** How an input comes to have this rung. */
  cause(rung: number): string | undefined;
  /** What a rung contradicts although the ladder is open; undefined when nothing. */
  contradicted?(rung: number): string | undefined;
  /** The tool whose known mistake this rung is. */
  tool(rung: number): string | undefined;
}

/** Everything that one search can try. */
export interface Space {
  readonly axes: readonly Axis[];
  readonly ladder: Ladder | undefined;
  /** The climb of a choice, or why nothing launches that way. */
  climb(choice: Choice): Climb | Refusal;
  /** Names of axes that the digest on a rung of this choice's climb does not depend on. */
  ignored(choice: Choice, rung: number): ReadonlySet<string>;
}

/** A part of the search, the likeliest first. */
export interface Stage {
  /** What is tried, in words. */
  readonly name: string;
  readonly choices: Iterable<Choice>;
  /** How far each choice climbs. */
  readonly rungs: number;
}
