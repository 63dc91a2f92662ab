/**
 * @bootproof/log: a C2SP transparency log, from its text formats to its writer, readers and offline verifier.
 * @module
 */
export { fetchWitnessed, type WitnessNetwork, type WitnessResponse } from "./ask-witnesses.ts";
export {
  ADD_ENTRIES_PATH,
  encodeAddEntries,
  makeAddEntries,
  MAX_PACKAGES,
  parseAddEntries,
  verifyEntryPackage,
  type AddEntries,
  type EntryPackage,
} from "./add-entries.ts";
export { formatAuditState, parseAuditState, type AuditState } from "./audit-state.ts";
export { audit, type AuditedBefore, type AuditFault, type AuditOptions, type AuditReport } from "./audit.ts";
export { AuthenticatedTiles } from "./authenticated-tiles.ts";
export {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  type Checkpoint,
  type SignedCheckpoint,
} from "./checkpoint.ts";
export type { LogPlace } from "./commit.ts";
export { makeConsistencyProof, verifyConsistency, type TreeHead } from "./consistency.ts";
export {
  cosign,
  cosignatureMessage,
  cosignatureTimestamp,
  subtreeMessage,
  verifyCosignature,
  type CosignedSubtree,
} from "./cosignature.ts";
export { collectPartials, type GcOptions, type GcReport } from "./gc.ts";
export { MemoryIdentities, type Identity, type IdentityIndex } from "./identity-index.ts";
export { makeInclusionProof, verifyInclusion, type InclusionClaim } from "./inclusion.ts";
export {
  EVIDENCE_FIRST_LINE,
  formatLogEvidence,
  judgeLogEvidence,
  parseLogEvidence,
  type EvidenceVerdict,
  type LogEvidence,
} from "./log-evidence.ts";
export { LOG_ERROR_CODES, LogError, type LogErrorDetail, type LogErrorKind } from "./log-error.ts";
export { formatLogHead, parseLogHead, type LogHead } from "./log-head.ts";
export {
  evaluateQuorum,
  parseLogPolicy,
  type LogPolicy,
  type PolicyGroup,
  type PolicyLog,
  type PolicyMember,
  type PolicyWitness,
} from "./log-policy.ts";
export { fetchCheckpoint, LogReader, type IndexedEntry } from "./log-reader.ts";
export { Log, type Appended, type LogOptions } from "./log.ts";
export { EMPTY_ROOT, leafHash, nodeHash, rangeRoot, type EntryRange, type HashSource } from "./merkle.ts";
export { mirrorLog, type MirrorOptions, type MirrorReport } from "./mirror.ts";
export { formatMirrorInfo, MIRROR_INFO_TYPE, parseMirrorInfo, type MirrorInfo } from "./mirror-info.ts";
export {
  addSignatures,
  checkSignatures,
  formatNote,
  formatSignatureLine,
  openNote,
  parseNote,
  parseSignatureLines,
  signNote,
  type CheckedSignatures,
  type NoteSignature,
  type NoteVerifier,
  type OpenedNote,
  type UntrustedNote,
  type VerifiedSignature,
} from "./note.ts";
export { makePrefixProof, provenPrefixRoot } from "./prefix-proof.ts";
export {
  formatSeenLog,
  openSeenLog,
  proveGrowth,
  rememberApart,
  rememberProven,
  type Contradiction,
  type SeenLog,
} from "./seen-log.ts";
export { cosignatureSigner, ed25519Signer, mlDsa44Signer } from "./signer.ts";
export type { FetchObject, HeadStore, NamedObject, ObjectStore, WriterLock } from "./storage.ts";
export {
  isSubtree,
  makeSubtreeProof,
  verifySubtreeInclusion,
  verifySubtreeProof,
  type Subtree,
} from "./subtree.ts";
export {
  encodeEntryBundle,
  encodeTile,
  MAX_ENTRY_LENGTH,
  parseEntryBundle,
  parseTile,
  type BundledEntry,
} from "./tile.ts";
export {
  CHECKPOINT_PATH,
  formatTilePath,
  hashesAtLevel,
  parseTilePath,
  partialTiles,
  TILE_WIDTH,
  widthAt,
  type TilePath,
} from "./tile-path.ts";
export { formatTlogProof, parseTlogProof, type TlogProof } from "./tlog-proof.ts";
export { noteVerifier, noteVerifiers } from "./verifier.ts";
export {
  singleLogPolicy,
  verifyTlogProof,
  type Answer,
  type ProofCheck,
  type ProofQuestion,
  type ProofVerdict,
} from "./verify-tlog-proof.ts";
export { originHash, TREE_SIZE_TYPE, Witness, type WitnessAnswer, type WitnessOptions } from "./witness.ts";
export {
  ADD_CHECKPOINT_PATH,
  formatAddCheckpoint,
  MAX_ADD_CHECKPOINT_SIZE,
  parseAddCheckpoint,
  type AddCheckpoint,
} from "./witness-request.ts";
export { WitnessPanel, type WitnessOutcome, type WitnessPanelOptions } from "./witness-panel.ts";
