/**
 * Which guest gives this launch digest? The search over SNP guests that boot an IGVM file.
 * @module
 */
import type { Sha384 } from "@bootproof/bytes";
import { amdStages } from "../snp/solve-stages.ts";
import { solve, type SolveLimits } from "../solve/solve.ts";
import type { Solution } from "../solve/solution.ts";
import { type IgvmClaim, type IgvmGuess, IgvmSpace } from "./solve-space.ts";

/** The guest of a match. */
export interface IgvmFinding extends IgvmGuess {
  readonly vcpus: number;
}

/** A solution with the guest that it names. */
export interface IgvmSolution extends Solution {
  readonly finding: IgvmFinding | undefined;
}

/** Searches for the guest that reported a launch digest; throws as {@link IgvmSpace} does. */
export function solveIgvm(claim: IgvmClaim, observed: Sha384, limits?: SolveLimits): IgvmSolution {
  const space = new IgvmSpace(claim);
  const solution = solve(space, observed, amdStages(space), limits);
  const { match } = solution;
  const finding = match === undefined ? undefined : { ...space.guess(match.choice), vcpus: match.rung };
  return { ...solution, finding };
}
