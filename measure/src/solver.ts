/**
 * @bootproof/measure/solve: given a launch digest that a machine reported, which inputs give it? A search that any
 * platform can use, and the spaces of SEV-SNP, SEV-ES and SEV guests.
 * @module
 */
export { type IgvmFinding, type IgvmSolution, solveIgvm } from "./igvm/solve.ts";
export { type IgvmClaim, type IgvmGuess, IgvmSpace } from "./igvm/solve-space.ts";
export { solveSev, type SevFinding, type SevSolution } from "./sev/solve.ts";
export { type SevClaim, type SevGuess, type SevLoaded, SevSpace } from "./sev/solve-space.ts";
export { type SnpFinding, solveSnp, type SnpSolution } from "./snp/solve.ts";
export type { BootClaim, BootFiles } from "./snp/solve-boot.ts";
export type { CmdlineGuess } from "./snp/solve-cmdline.ts";
export type { CpuGuess } from "./snp/solve-cpus.ts";
export { variableStoreLength } from "./snp/solve-firmware.ts";
export type { GuestClaim, GuestGuess } from "./snp/solve-guest.ts";
export {
  imageLoaders,
  referenceLoader,
  regionLoader,
  type SnpLoader,
  svsmLoaders,
} from "./snp/solve-loader.ts";
export { type SnpClaim, type SnpGuess, SnpSpace } from "./snp/solve-space.ts";
export {
  looksLikeReport,
  readReport,
  REPORT_LENGTH,
  type UntrustedReport,
} from "./snp/report-measurement.ts";
export { amdStages } from "./snp/solve-stages.ts";
export { type Axis, type Candidate, candidateAt, type Choice, type Standing } from "./solve/axis.ts";
export { choices, type Selection } from "./solve/choices.ts";
export { type ObservedDigest, parseObserved } from "./solve/observed.ts";
export { type Hit, Search, type SearchProgress, type SearchResult, type StageCount } from "./solve/search.ts";
export {
  type AxisCount,
  type Difference,
  judge,
  type Match,
  type Solution,
  type SolutionVerdict,
} from "./solve/solution.ts";
export { solve, type SolveLimits, startSearch } from "./solve/solve.ts";
export type { Climb, Found, Ladder, Refusal, Space, Stage } from "./solve/space.ts";
