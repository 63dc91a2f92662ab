/**
 * Which guest gives this launch digest? The search over SEV and SEV-ES guests.
 * @module
 */
import type { Sha256 } from "@bootproof/bytes";
import { amdStages } from "../snp/solve-stages.ts";
import { solve, type SolveLimits } from "../solve/solve.ts";
import type { Solution } from "../solve/solution.ts";
import { type SevClaim, type SevGuess, SevSpace } from "./solve-space.ts";

/** The guest of a match; with 0 VMSAs it is one of plain SEV. */
export interface SevFinding extends SevGuess {
  readonly vcpus: number;
}

/** A solution with the guest that it names. */
export interface SevSolution extends Solution {
  readonly finding: SevFinding | undefined;
}

/** Searches for the guest that reported a launch digest; throws MeasureError for a claim that names no profile. */
export function solveSev(claim: SevClaim, observed: Sha256, limits?: SolveLimits): SevSolution {
  const space = new SevSpace(claim);
  const solution = solve(space, observed, amdStages(space), limits);
  const { match } = solution;
  const finding = match === undefined ? undefined : { ...space.guess(match.choice), vcpus: match.rung };
  return { ...solution, finding };
}
