/**
 * The condition keys by which a policy speaks of an attestation document: AWS KMS Developer Guide, "Condition keys for
 * attested platforms". Names of condition keys are compared without regard to case (IAM User Guide, "Condition").
 * @module
 */

/** What a condition key says about an attestation document. */
export type RecipientKey =
  /** A register of an enclave; `ImageSha384` is PCR0 under another name. */
  | { readonly kind: "pcr"; readonly pcr: number; readonly name: string }
  /** A register of a NitroTPM: of an instance, not of an enclave. */
  | { readonly kind: "tpm"; readonly pcr: number; readonly name: string }
  /** Meant for a document and none of AWS's names: KMS never gives it a value. */
  | { readonly kind: "misspelt"; readonly meant?: string; readonly pcr?: number };

const PREFIX = "kms:RecipientAttestation:";
/** An attestation document has registers 0 to 31. */
export const MAX_PCR = 31;

/** The condition key of a register. */
export const pcrKey = (pcr: number): string => `${PREFIX}PCR${pcr}`;

/** Reads a condition key; undefined when it is about something else. */
export function readRecipientKey(key: string): RecipientKey | undefined {
  const lower = key.toLowerCase();
  if (lower.startsWith(PREFIX.toLowerCase())) {
    const rest = lower.slice(PREFIX.length);
    if (rest === "imagesha384") return { kind: "pcr", pcr: 0, name: `${PREFIX}ImageSha384` };
    const [, tpm, digits] = /^(nitrotpm)?pcr(0|[1-9][0-9]?)$/.exec(rest) ?? [];
    const pcr = Number(digits);
    if (digits !== undefined && pcr <= MAX_PCR)
      return tpm === undefined
        ? { kind: "pcr", pcr, name: pcrKey(pcr) }
        : { kind: "tpm", pcr, name: `${PREFIX}NitroTPMPCR${pcr}` };
  }
  return isMeant(lower) ? { kind: "misspelt", ...meantKey(lower) } : undefined;
}

/** Whether someone who wrote this had an attestation document in mind. */
function isMeant(lower: string): boolean {
  const letters = lower.replaceAll(/[^a-z0-9]/g, "");
  return (
    /attest|recipien|imagesha|nitro|enclave/.test(letters) || /^(aws|kms|ec2)?pcr[0-9]{0,3}$/.test(letters)
  );
}

function meantKey(lower: string): { readonly meant?: string; readonly pcr?: number } {
  const [, digits] = /pcr[^0-9]{0,3}0*([0-9]{1,2})[^0-9]*$/.exec(lower) ?? [];
  const pcr = Number(digits);
  if (digits !== undefined && pcr <= MAX_PCR) return { meant: pcrKey(pcr), pcr };
  return /image|sha/.test(lower) ? { meant: `${PREFIX}ImageSha384`, pcr: 0 } : {};
}
