/**
 * What is fuzzed: a target makes a case from random numbers and judges what the code under test does with it.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { MeasureError } from "@bootproof/measure";
import type { Random } from "./random.ts";

/** One case. */
export interface Case {
  /** The hostile file; kept when the case fails. */
  readonly bytes: Uint8Array;
  /** What else the case consists of, in words. */
  readonly given: string;
  /** Runs the code under test, watched; throws a {@link Complaint} for an error that is not documented. */
  run(): unknown;
  /** Judges what `run` returned, or promised; throws a {@link Complaint} when it is wrong. */
  judge(answer: unknown): Outcome;
}

/** How the code under test answered. */
export type Outcome = "accepted" | "refused";

/** One kind of input. */
export interface Target {
  readonly name: string;
  readonly about: string;
  /** Milliseconds that no case may take. */
  readonly limit: number;
  makeCase(random: Random): Case;
}

/** What the code under test did wrong. */
export class Complaint extends Error {
  override readonly name = "Complaint";
}

/** The errors that parsers and engines document: of these classes, with a code. */
export const documented = (error: unknown): boolean =>
  (error instanceof ParseError || error instanceof MeasureError) && error.code.length > 0;

/** Runs a parser or an engine; a documented error is a refusal, every other one is a complaint. */
export function attempt<T>(isDocumented: (error: unknown) => boolean, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (isDocumented(error)) return undefined;
    throw new Complaint(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, {
      cause: error,
    });
  }
}
