/**
 * @bootproof/statement/quorum-os: manifests of QuorumOS, their hashes and approvals, and what attestation documents
 * commit to of them.
 * @module
 */
export {
  checkApprovals,
  checkDocument,
  checkRegisters,
  commitmentRegister,
  type QuorumCheck,
  type QuorumCode,
  type ShownDocument,
} from "./check.ts";
export {
  manifestHash,
  type BridgeConfig,
  type EnclaveConfig,
  type ManifestVersion,
  type PivotConfig,
  type QuorumApproval,
  type QuorumEnvelope,
  type QuorumManifest,
  type QuorumMember,
  type QuorumSet,
} from "./manifest.ts";
export { parseQuorumFile, type QuorumFile } from "./parse.ts";
export { formatQosJson } from "./qos-json.ts";
