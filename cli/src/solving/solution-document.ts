/**
 * A solution as the document `bootproof/solution/1`.
 * @module
 */
import type { Difference, Match } from "@bootproof/measure/solve";

import type { TimedSolution } from "./run-search.ts";
import type { SearchedGuest } from "./searched-guest.ts";

/** Everything that is said about one search. */
export interface Answer {
  readonly guest: SearchedGuest;
  /** The digest that was searched for, hex. */
  readonly observed: string;
  /** What the inputs as given measure to; undefined when they do not launch, or are not complete. */
  readonly predicted: string | undefined;
  readonly solution: TimedSolution;
  readonly command: string | undefined;
  readonly hints: readonly string[];
  readonly next: readonly string[];
}

/** The answer for programs. */
export function solutionDocument(answer: Answer): object {
  const { guest, observed, predicted, solution, command, hints, next } = answer;
  const { platform, inputs, notTried } = guest;
  const { verdict, match, equivalent, digests, seconds, axes, stages } = solution;
  return {
    schema: "bootproof/solution/1",
    verdict,
    platform,
    observed,
    predicted,
    inputs,
    ...(match !== undefined && {
      match: { ...matchDocument(match), guest: guest.describe(match), command },
      equivalent: equivalent.map(matchDocument),
    }),
    tried: { digests, seconds: Number(seconds.toFixed(3)), inputs: axes, stages },
    notTried,
    hints,
    next,
  };
}

function matchDocument({ differences, tools, reversed }: Match): object {
  return { differences: differences.map(differenceDocument), tools, reversed };
}

const differenceDocument = ({ input, standing, given, found, cause }: Difference): object => ({
  input,
  standing,
  ...(given !== undefined && { given }),
  found,
  ...(cause !== undefined && { cause }),
});
