/**
 * What the linter finds in a key policy: a stable code, how grave it is, where it stands and how to mend it.
 * @module
 */
import type { Place } from "./place.ts";

/** How grave a finding is. */
export type KmsSeverity =
  /** Somebody other than the pinned enclave gets in, or the pinned enclave never does. */
  | "error"
  /** The pin is weaker, or more widely changed, than it looks. */
  | "warning"
  /** Good to know. */
  | "note"
  /** Nobody can tell from the policy alone. */
  | "unclear";

/** The code of a finding; `bootproof explain CODE` has a page for each. */
export type KmsFindingCode =
  /** A key twice. */
  | "BP-KMS-002"
  /** A part that breaks the grammar. */
  | "BP-KMS-004"
  /** Not the version of 2012. */
  | "BP-KMS-005"
  /** A condition key that KMS does not have. */
  | "BP-KMS-010"
  /** A condition key in other letters than AWS writes. */
  | "BP-KMS-011"
  /** A NitroTPM's register. */
  | "BP-KMS-012"
  /** A register that enclaves leave at zero, or extend themselves. */
  | "BP-KMS-013"
  /** PCR4 pins one instance. */
  | "BP-KMS-014"
  /** PCR3 is not of the principal's role. */
  | "BP-KMS-015"
  /** PCR3 is a hash of a role's ARN, computed in a wrong way. */
  | "BP-KMS-016"
  /** ImageSha384 and PCR0 differ. */
  | "BP-KMS-017"
  /** All zeros. */
  | "BP-KMS-020"
  /** Not 96 digits. */
  | "BP-KMS-021"
  /** Base64. */
  | "BP-KMS-022"
  /** A prefix, spaces or colons. */
  | "BP-KMS-023"
  /** Upper case under an operator that tells case. */
  | "BP-KMS-024"
  /** A placeholder. */
  | "BP-KMS-025"
  /** A policy variable. */
  | "BP-KMS-027"
  /** PCR2 of an image with a single ramdisk. */
  | "BP-KMS-028"
  /** Two registers with one value. */
  | "BP-KMS-029"
  /** A pattern. */
  | "BP-KMS-030"
  /** IfExists. */
  | "BP-KMS-031"
  /** ForAllValues. */
  | "BP-KMS-032"
  /** An operator that negates. */
  | "BP-KMS-033"
  /** Null. */
  | "BP-KMS-034"
  /** An operator that does not compare text. */
  | "BP-KMS-035"
  /** A pattern under an operator that takes none. */
  | "BP-KMS-036"
  /** A set operator, or one for patterns, that does nothing here. */
  | "BP-KMS-037"
  /** Not all of PCR0, PCR1, PCR2. */
  | "BP-KMS-040"
  /** PCR8 alone. */
  | "BP-KMS-041"
  /** No register of an image. */
  | "BP-KMS-042"
  /** Lists of several registers. */
  | "BP-KMS-043"
  /** Operations without a document under a condition on one. */
  | "BP-KMS-050"
  /** Only operations without a document under a condition on one. */
  | "BP-KMS-051"
  /** New data keys without a document. */
  | "BP-KMS-052"
  /** Plaintext without a document. */
  | "BP-KMS-053"
  /** Re-encryption without a document. */
  | "BP-KMS-054"
  /** Who may change the policy, or go round it. */
  | "BP-KMS-055"
  /** The account decides by its IAM policies. */
  | "BP-KMS-056"
  /** Nobody may change the policy. */
  | "BP-KMS-057"
  /** Everybody. */
  | "BP-KMS-058"
  /** Everything but. */
  | "BP-KMS-059"
  /** A Deny that only stops documents that are wrong in all registers at once. */
  | "BP-KMS-060"
  /** A Deny that does not stop a request without a document. */
  | "BP-KMS-061"
  /** A Deny that stops operations which have no document. */
  | "BP-KMS-062"
  /** No condition on a document. */
  | "BP-KMS-063"
  /** GenerateRandom uses no key. */
  | "BP-KMS-065"
  /** The policy of a role or user. */
  | "BP-KMS-066"
  /** A principal that nobody is, or no enclave. */
  | "BP-KMS-067";

/** Every finding and its gravity. */
export const KMS_FINDINGS: Readonly<Record<KmsFindingCode, KmsSeverity>> = {
  "BP-KMS-002": "error",
  "BP-KMS-004": "error",
  "BP-KMS-005": "note",
  "BP-KMS-010": "error",
  "BP-KMS-011": "note",
  "BP-KMS-012": "error",
  "BP-KMS-013": "warning",
  "BP-KMS-014": "warning",
  "BP-KMS-015": "warning",
  "BP-KMS-016": "error",
  "BP-KMS-017": "error",
  "BP-KMS-020": "error",
  "BP-KMS-021": "error",
  "BP-KMS-022": "error",
  "BP-KMS-023": "error",
  "BP-KMS-024": "error",
  "BP-KMS-025": "error",
  "BP-KMS-027": "unclear",
  "BP-KMS-028": "note",
  "BP-KMS-029": "error",
  "BP-KMS-030": "error",
  "BP-KMS-031": "error",
  "BP-KMS-032": "error",
  "BP-KMS-033": "error",
  "BP-KMS-034": "warning",
  "BP-KMS-035": "error",
  "BP-KMS-036": "error",
  "BP-KMS-037": "note",
  "BP-KMS-040": "warning",
  "BP-KMS-041": "warning",
  "BP-KMS-042": "error",
  "BP-KMS-043": "error",
  "BP-KMS-050": "warning",
  "BP-KMS-051": "error",
  "BP-KMS-052": "warning",
  "BP-KMS-053": "error",
  "BP-KMS-054": "error",
  "BP-KMS-055": "warning",
  "BP-KMS-056": "error",
  "BP-KMS-057": "warning",
  "BP-KMS-058": "warning",
  "BP-KMS-059": "warning",
  "BP-KMS-060": "error",
  "BP-KMS-061": "error",
  "BP-KMS-062": "warning",
  "BP-KMS-063": "error",
  "BP-KMS-065": "note",
  "BP-KMS-066": "unclear",
  "BP-KMS-067": "error",
};

/** One finding. */
export interface KmsFinding {
  readonly code: KmsFindingCode;
  readonly severity: KmsSeverity;
  readonly message: string;
  /** How to mend it. */
  readonly fix: string;
  /** The statement, from 0; undefined: the policy as a whole. */
  readonly statement: number | undefined;
  readonly sid: string | undefined;
  readonly place: Place | undefined;
}

/** Takes a finding; its severity follows from its code. */
export type Report = (
  code: KmsFindingCode,
  finding: {
    readonly message: string;
    readonly fix: string;
    readonly statement?: {
      readonly index: number;
      readonly sid: string | undefined;
      readonly place: Place | undefined;
    };
    readonly place?: Place | undefined;
  },
) => void;
