/**
 * @bootproof/verify: bundles and policies to verdicts.
 * @module
 */
export { joinAnswers, type Answer, type Check, type Skipped } from "./answer.ts";
export { parseBundle, type UntrustedBundle } from "./bundle.ts";
export { checkArtifact, type HashedFile } from "./check-artifact.ts";
export {
  checkRebuilds,
  judgeConfirmation,
  type ConfirmedRelease,
  type JudgedConfirmation,
} from "./check-rebuilds.ts";
export { checkMeasurements, expandMeasurements, type ExpandedMeasurement } from "./expand.ts";
export { findDigest, type DigestMatch } from "./lookup.ts";
export {
  CONFIRMING_VERDICTS,
  mayPublish,
  policySchema,
  type Policy,
  type Publisher,
  type RebuildRule,
  type WitnessRule,
} from "./policy.ts";
export { verifyBundle, type BundleQuestion, type BundleVerdict } from "./verify-bundle.ts";
