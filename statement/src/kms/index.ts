/**
 * @bootproof/statement/kms: key policies that let in the enclaves of a release, a linter for them, a simulator.
 * @module
 */
export { formatCdk } from "./cdk.ts";
export { KmsError, type KmsErrorCode } from "./kms-error.ts";
export { type KmsFinding, type KmsFindingCode, type KmsSeverity } from "./kms-finding.ts";
export { lintKmsPolicy, type KmsLint, type KmsLintAnswer, type LintedPolicy } from "./lint.ts";
export {
  formatKmsPolicy,
  makeKmsPolicy,
  type KmsPolicyOptions,
  type KmsRelease,
  type MadePolicy,
  type MadeStatement,
} from "./make-policy.ts";
export type { RecipientOperation } from "./operation.ts";
export type { Place } from "./place.ts";
export { readPolicies } from "./policy-sources.ts";
export type { Policy, PolicyStatement } from "./policy.ts";
export {
  nameOf,
  simulateKms,
  type KmsAnswer,
  type KmsRequest,
  type KmsSimulation,
  type StatementOutcome,
} from "./simulate.ts";
export { formatTerraform, formatTerraformJson } from "./terraform.ts";
