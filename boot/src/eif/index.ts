/**
 * Enclave image files (EIF): read in the one way that all loaders agree on, planned, signed.
 * @module
 */
export { EIF_ALGORITHMS, type EifAlgorithm, type EifAlgorithmParts } from "./algorithm.ts";
export type { EifCode, EifFinding, EifSeverity } from "./finding.ts";
export { encodeSectionHeader, startsEif } from "./header.ts";
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
  parseSignatureSection,
  signatureInput,
  signaturePayload,
  type UntrustedEifSignature,
} from "./signature.ts";
export type { SmallSections } from "./small-sections.ts";
