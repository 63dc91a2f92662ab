/**
 * @bootproof/measure/nitro: PCRs of AWS Nitro Enclaves.
 * @module
 */
export { mapEif, mapParts, nitroCoverage } from "./coverage.ts";
export {
  EifHasher,
  type EifChain,
  type EifDigestParts,
  type EifDigests,
  type EifHasherOptions,
  joinEifDigests,
} from "./eif-hasher.ts";
export { type LoadedSection, measureNitroBytes, measureSections, type NitroParts } from "./measure-bytes.ts";
export {
  measureNitro,
  type NitroImage,
  type NitroMeasurement,
  type NitroShape,
  type NitroShapeJson,
} from "./measure-nitro.ts";
export { checkInstanceId, checkRoleArn, instanceOfModule, pcr3Of, pcr4Of } from "./parent.ts";
export { NITRO_START, PCR_NAMES, PCR_SIZE, type PcrEvent, type PcrName, pcrOf } from "./pcr.ts";
export { type HashedSection, isMeasured, type PlannedSection, sectionNames } from "./section.ts";
