/**
 * @bootproof/measure/nitro: PCRs of AWS Nitro Enclaves.
 * @module
 */
export { mapEif, mapParts } from "./coverage.ts";
export {
  EifHasher,
  type EifChain,
  type EifDigestParts,
  type EifDigests,
  type EifHasherOptions,
  joinEifDigests,
} from "./eif-hasher.ts";
export {
  comparePcrs,
  type ExpectedPcrs,
  isDebug,
  parseExpectedPcrs,
  parseObservedPcrs,
  type PcrComparison,
  type UnexpectedPcr,
} from "./expected-pcrs.ts";
export { type KnownBootstrap, knownBootstrap } from "./known-bootstrap.ts";
export { type LoadedSection, measureNitroBytes, measureSections, type NitroParts } from "./measure-bytes.ts";
export {
  measureNitro,
  type NitroImage,
  type NitroMeasurement,
  type NitroShape,
  type NitroShapeJson,
} from "./measure-nitro.ts";
export {
  compareManifests,
  contradictionWithManifest,
  formatManifest,
  type ManifestComparison,
  measuredSections,
  type NamedLine,
  type SectionLine,
} from "./manifest.ts";
export { instanceOfModule, pcr4Of } from "./parent.ts";
export { PCR_SIZE, type PcrEvent, type PcrName, pcrOf } from "./pcr.ts";
export { type HashedSection, type PlannedSection, sectionNames } from "./section.ts";
export { differingSections, nitroSide } from "./side.ts";
export type { Piece } from "./arrangement.ts";
export {
  type NitroSolution,
  type ObservedPcrs,
  type SolvedImage,
  type SolvedRegister,
  solveNitro,
} from "./solve.ts";
