/**
 * Which guest gives this launch digest? The search over SNP guests.
 * @module
 */
import type { Sha384 } from "@bootproof/bytes";
import { solve, type SolveLimits } from "../solve/solve.ts";
import type { Solution } from "../solve/solution.ts";
import { SnpSpace, type SnpClaim, type SnpGuess } from "./solve-space.ts";
import { amdStages } from "./solve-stages.ts";

/** The guest of a match, with its number of vCPUs. */
export interface SnpFinding extends SnpGuess {
  readonly vcpus: number;
}

/** A solution with the guest that it names. */
export interface SnpSolution extends Solution {
  readonly finding: SnpFinding | undefined;
}

/** Searches for the guest that reported a launch digest; throws MeasureError for a claim that names no profile. */
export function solveSnp(claim: SnpClaim, observed: Sha384, limits?: SolveLimits): SnpSolution {
  const space = new SnpSpace(claim);
  const solution = solve(space, observed, amdStages(space), limits);
  const { match } = solution;
  const finding = match === undefined ? undefined : { ...space.guess(match.choice), vcpus: match.rung };
  return { ...solution, finding };
}
