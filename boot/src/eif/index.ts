/**
 * Enclave image files (EIF): read in the one way that all loaders agree on, planned, signed.
 * @module
 */
export {
  EIF_ALGORITHMS,
  type EifAlgorithm,
  type EifAlgorithmParts,
  eifAlgorithmOfCurve,
} from "./algorithm.ts";
export type { EifCode, EifFinding, EifSeverity } from "./finding.ts";
export { encodeEifHeader, encodeSectionHeader, startsEif } from "./header.ts";
export {
  EIF_CRC_OFFSET,
  EIF_HEADER_SIZE,
  EIF_MAX_SECTIONS,
  EIF_SECTION_HEADER_SIZE,
  EIF_SECTION_NUMBERS,
  type EifArchitecture,
  type EifLayout,
  type EifSection,
  type EifSectionType,
  type EifSource,
  type UntrustedEifHeader,
  type UntrustedEifSection,
} from "./layout.ts";
export {
  EIF_MAX_METADATA_SIZE,
  type EifMetadata,
  type EifMetadataInput,
  formatEifMetadata,
  kernelConfigIdentity,
  parseEifMetadata,
} from "./metadata.ts";
export {
  EIF_VERSION,
  type EifPlan,
  type EifPlanInput,
  type PlacedSection,
  planEif,
  type PlannedSection,
} from "./plan.ts";
export type { Contents } from "./contents.ts";
export { type EifReading, readEif } from "./read.ts";
export {
  EIF_MAX_SIGNATURE_SIZE,
  parseSignatureSection,
  signatureInput,
  signaturePayload,
  type UntrustedEifSignature,
} from "./signature.ts";
export { EIF_MAX_CMDLINE_SIZE, type SmallSections } from "./small-sections.ts";
