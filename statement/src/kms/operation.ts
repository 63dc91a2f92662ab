/**
 * The operations of KMS, and which of them take an attestation document (parameter `Recipient`).
 * Service Authorization Reference, "Actions defined by AWS Key Management Service".
 * @module
 */
import { matchesWildcard } from "./wildcard.ts";

/** Operations with a parameter `Recipient`: for all others the conditions on a document have no value. */
export const RECIPIENT_OPERATIONS = [
  "Decrypt",
  "DeriveSharedSecret",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateRandom",
] as const;

/** An operation that takes an attestation document. */
export type RecipientOperation = (typeof RECIPIENT_OPERATIONS)[number];

/** Operations that hand out plaintext under this key, and take a document. GenerateRandom uses no key. */
export const PLAINTEXT_OPERATIONS: readonly RecipientOperation[] = RECIPIENT_OPERATIONS.filter(
  (operation) => operation !== "GenerateRandom",
);

const OTHER_OPERATIONS = (
  "CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateGrant CreateKey DeleteAlias " +
  "DeleteCustomKeyStore DeleteImportedKeyMaterial DescribeCustomKeyStores DescribeKey DisableKey " +
  "DisableKeyRotation DisconnectCustomKeyStore EnableKey EnableKeyRotation Encrypt " +
  "GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac GetKeyPolicy " +
  "GetKeyRotationStatus GetParametersForImport GetPublicKey ImportKeyMaterial ListAliases ListGrants " +
  "ListKeyPolicies ListKeyRotations ListKeys ListResourceTags ListRetirableGrants PutKeyPolicy ReEncryptFrom " +
  "ReEncryptTo ReplicateKey RetireGrant RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion Sign " +
  "SynchronizeMultiRegionKey TagResource UntagResource UpdateAlias UpdateCustomKeyStore UpdateKeyDescription " +
  "UpdatePrimaryRegion Verify VerifyMac"
).split(" ");

/** Every operation that a policy can name. */
export const OPERATIONS: readonly string[] = [...RECIPIENT_OPERATIONS, ...OTHER_OPERATIONS].sort();

/** Whether an operation takes an attestation document. */
export const takesRecipient = (operation: string): operation is RecipientOperation =>
  (RECIPIENT_OPERATIONS as readonly string[]).includes(operation);

/** The name of an operation as KMS spells it, from `decrypt`, `kms:Decrypt`; undefined when it has none. */
export function readOperation(text: string): string | undefined {
  const bare = text.toLowerCase().replace(/^kms:/, "");
  // The call is one, the permissions are two.
  return OPERATIONS.find((name) => name.toLowerCase() === bare);
}

/** Actions of a statement: patterns, or all but those. */
export interface Actions {
  readonly not: boolean;
  readonly patterns: readonly string[];
}

/** The operations of KMS that a statement's actions include; names of actions have no case. */
export function operationsOf({ not, patterns }: Actions): string[] {
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  return OPERATIONS.filter((operation) => {
    const action = `kms:${operation}`.toLowerCase();
    return lower.some((pattern) => matchesWildcard(pattern, action)) !== not;
  });
}
