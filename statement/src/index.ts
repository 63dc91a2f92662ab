/**
 * @bootproof/statement: in-toto statements in DSSE envelopes, and the predicates that Bootproof signs.
 * @module
 */
export { ARTIFACT_KINDS, type Artifact, type ArtifactKind } from "./artifact.ts";
export {
  makeBootMeasurement,
  readBootMeasurement,
  releaseArtifacts,
  type BootMeasurement,
  type BuildAction,
  type BuildReference,
  type Program,
  type Release,
} from "./boot-measurement.ts";
export { formatCounts, parseCounts } from "./counts.ts";
export {
  checkSignatures,
  formatEnvelope,
  keyidOf,
  MAX_ENVELOPE,
  openEnvelope,
  opensLikeEnvelope,
  parseEnvelope,
  parseForeignEnvelope,
  preAuthenticationEncoding,
  signEnvelope,
  type CheckedSignature,
  type EnvelopeSignature,
  type OpenedEnvelope,
  type UntrustedEnvelope,
} from "./dsse.ts";
export { entryIdentity, envelopeIdentity } from "./identity.ts";
export { makeLogContinuation, readLogContinuation, type LogContinuation } from "./log-continuation.ts";
export {
  hasAxes,
  zeroValues,
  type BootHashes,
  type FirmwareInShort,
  type PlatformMeasurements,
  type ShapeRegisters,
  type SnpMeasurements,
  type VmsaDigests,
} from "./measurements.ts";
export {
  makeProvenance,
  readProvenance,
  type Provenance,
  type RecipeBuild,
  type ResourceDescriptor,
} from "./provenance.ts";
export {
  makeRebuild,
  readRebuild,
  REBUILD_VERDICTS,
  rebuildVerdict,
  type DifferingRegister,
  type Rebuild,
  type RebuildVerdict,
  type RebuiltArtifact,
} from "./rebuild.ts";
export type { BlobDigest } from "./schema.ts";
export { SECTION_TYPES, type SectionDigest } from "./section-manifest.ts";
export { StatementError, type StatementErrorCode } from "./statement-error.ts";
export { formatStatement, parseStatement, type Statement, type Subject } from "./statement.ts";
export {
  BOOT_MEASUREMENT_TYPE,
  IN_TOTO_PAYLOAD_TYPE,
  LOG_CONTINUATION_TYPE,
  PROVENANCE_TYPE,
  REBUILD_TYPE,
  RECIPE_BUILD_TYPE,
  STATEMENT_TYPE,
} from "./type-uri.ts";
