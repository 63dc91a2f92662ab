/**
 * @bootproof/measure/identity: who vouches for a guest, and what its host may do with it. ID blocks and policies of
 * SNP, policies and launch measures of SEV and SEV-ES. Apart from the rest because of the elliptic curve it needs.
 * @module
 */
export type { DecodedPolicy, MinimumVersion, PolicyBit, PolicyField } from "./policy-bits.ts";
export { findLaunchMeasure, type MatchingInputs } from "./sev/find-launch-measure.ts";
export {
  type LaunchMeasure,
  LAUNCH_MEASURE_SIZE,
  launchMeasure,
  type LaunchMeasureInputs,
  launchMeasureMessage,
  launchSecretHeader,
  type LaunchSecretInputs,
  MNONCE_SIZE,
  parseLaunchMeasure,
  splitTransportKeys,
  TRANSPORT_KEY_SIZE,
  verifyLaunchMeasure,
} from "./sev/launch-measure.ts";
export { buildSevPolicy, decodeSevPolicy, DEFAULT_SEV_POLICY, SEV_POLICY_BITS } from "./sev/sev-policy.ts";
export {
  CURVE_P384,
  ECDSA_P384_SHA384,
  encodePublicKey,
  encodeSignature,
  keyDigest,
  type NumberPair,
  parsePublicKey,
  parseSignature,
  PUBLIC_KEY_SIZE,
  type PublicKeyStructure,
  SIGNATURE_SIZE,
} from "./snp/ecdsa-structures.ts";
export {
  buildGuestPolicy,
  decodeGuestPolicy,
  DEFAULT_GUEST_POLICY,
  GUEST_POLICY_BITS,
  kvmPolicyFault,
} from "./snp/guest-policy.ts";
export {
  hasNoAuthor,
  ID_AUTH_SIZE,
  type Identity,
  idKeyToSign,
  joinIdentity,
  parseIdAuth,
  type SignedBy,
  signIdentity,
  type UntrustedIdAuth,
} from "./snp/id-auth.ts";
export {
  encodeIdBlock,
  ID_BLOCK_SIZE,
  ID_BLOCK_VERSION,
  type IdBlock,
  IDENTIFIER_SIZE,
  parseIdBlock,
} from "./snp/id-block.ts";
export { identityFromIgvm, identityOfIgvm, type IgvmIdentity } from "./snp/igvm-id-block.ts";
export {
  type IdentityAnswer,
  type IdentityBytes,
  type IdentityCheck,
  type IdentityExpectations,
  type IdentityVerdict,
  verifyIdentity,
} from "./snp/verify-identity.ts";
