/**
 * @bootproof/verify: bundles and policies to verdicts.
 * @module
 */
export { joinAnswers, type Answer, type Check, type Skipped } from "./answer.ts";
export { parseBundle, type UntrustedBundle } from "./bundle.ts";
export { checkArtifact, type HashedFile } from "./check-artifact.ts";
export type { EifContents } from "./compare-eif.ts";
export {
  checkRebuilds,
  judgeConfirmation,
  type ConfirmedRelease,
  type JudgedConfirmation,
} from "./check-rebuilds.ts";
export {
  checkMeasurements,
  expandMeasurements,
  expansionSize,
  type ExpandedMeasurement,
  type ExpansionSize,
} from "./expand.ts";
export { digestKey, keysOf, MAX_LOOKUP_KEYS, SEARCH_ME, signerKey } from "./lookup-keys.ts";
export { findDigest, heldDigests, type DigestMatch, type FoundDigest, type HeldDigest } from "./lookup.ts";
export { aboutText, matchText } from "./match-text.ts";
export {
  CONFIRMING_VERDICTS,
  mayPublish,
  policySchema,
  type Policy,
  type Publisher,
  type RebuildRule,
  type WitnessRule,
} from "./policy.ts";
export {
  claimedSigners,
  readEntry,
  readStatement,
  tryReadEntry,
  type ReadStatement,
  type UntrustedStatement,
} from "./read-entry.ts";
export {
  isWithin,
  keyBytes,
  list as ruleList,
  namespaces,
  orAny as ruleOrAny,
  organisation,
  signingKey,
  strict as strictRule,
  type Namespaces,
} from "./rules.ts";
export { shapeText, shapeValues, type ShapeValue } from "./shape-text.ts";
export {
  matchEntry,
  parseWanted,
  wantedKey,
  type EntryAnswer,
  type EntryMatch,
  type Wanted,
} from "./wanted.ts";
export { verifyBundle, type BundleQuestion, type BundleVerdict } from "./verify-bundle.ts";
