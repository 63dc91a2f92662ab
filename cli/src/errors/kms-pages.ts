/**
 * Pages of policies for KMS keys: what the linter finds, and what is refused.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

const MEASURE = "Take the values that bootproof measure nitro FILE prints, 96 lower-case hex digits each.";
const EXPORT = "bootproof export kms writes a policy without this.";
const EQUALS =
  "Compare PCR0, PCR1 and PCR2 under StringEqualsIgnoreCase: it fails when there is no document, and takes both cases.";
const DOCUMENT_OPERATIONS =
  "Decrypt, DeriveSharedSecret, GenerateDataKey, GenerateDataKeyPair and GenerateRandom take an attestation document (Recipient); no other operation does.";

/** Pages of BP-KMS. */
export const KMS_PAGES: Pages = {
  "BP-KMS-001": malformed(
    "a policy that is not JSON",
    "Policies are judged as KMS gets them. Terraform, CDK and YAML are turned into JSON by their own tools, which also fill in variables.",
    "terraform show -json PLAN, cdk synth --json, or aws kms get-key-policy --key-id KEY print JSON; give that.",
  ),
  "BP-KMS-002": no(
    "a key that stands twice in one object",
    "JSON allows it and readers keep one of the two, not all the same one: the policy has two meanings.",
    "Put both values into one key, or each into a statement of its own.",
  ),
  "BP-KMS-003": malformed(
    "JSON that holds no policy for KMS",
    "Neither the document nor a text in it has statements about KMS. A policy that Terraform knows only after apply is in no plan.",
    "Give the key policy itself: aws kms get-key-policy --key-id KEY.",
  ),
  "BP-KMS-004": no(
    "a part of a policy that breaks IAM's grammar",
    "KMS refuses such a policy, or the part says nothing. A statement with such a part is not evaluated.",
    "Correct what the finding names.",
  ),
  "BP-KMS-005": note(
    "an old version of the policy language",
    "Version 2008-10-17 takes ${...} as plain text; 2012-10-17 fills it in.",
  ),
  "BP-KMS-010": no(
    "a condition key that KMS does not have",
    "No request has a value for it: a condition that wants one never holds, and one that wants another always does.",
    "The keys are kms:RecipientAttestation:ImageSha384 (PCR0) and kms:RecipientAttestation:PCR0, PCR1, and so on to PCR31.",
  ),
  "BP-KMS-011": note(
    "a condition key in other letters than AWS writes",
    "Names of condition keys have no case, so it works; whoever searches for AWS's spelling does not find it.",
  ),
  "BP-KMS-012": no(
    "a NitroTPM's register",
    "kms:RecipientAttestation:NitroTPMPCR<n> are registers of EC2 instances with a NitroTPM. An enclave's document has none of them.",
    EXPORT,
  ),
  "BP-KMS-013": warn(
    "a register that says nothing about an image",
    "PCR5 to PCR7 and PCR9 to PCR15 are zero in every enclave. PCR16 and above are what the enclave itself extended, and are in a document only once it has locked them.",
    "Pin PCR0, PCR1 and PCR2; PCR8 pins the signer, PCR3 the instance's role.",
  ),
  "BP-KMS-014": warn(
    "PCR4 pins one instance",
    "PCR4 is computed from the ID of the parent instance: after a replacement, or on a second instance, the enclave is refused.",
    "Leave it away unless exactly this instance is meant. (PCR4 of a NitroTPM is something else.)",
  ),
  "BP-KMS-015": warn(
    "PCR3 of another role than the statement's",
    "PCR3 is computed from the ARN of the role that the parent instance has. If the statement is about that role, the two must fit.",
    "Leave it as it is when the enclave's requests come from a role that the instance's role assumes; else take the value in the finding.",
  ),
  "BP-KMS-016": no(
    "PCR3 that was computed in a wrong way",
    "PCR3 is the SHA-384 of 48 zero bytes and the ARN as text: not the ARN's bare SHA-384, and not with a newline.",
    "Take the value in the finding, or bootproof export kms --pcr 0,1,2,3.",
  ),
  "BP-KMS-017": no(
    "one register with two values at once",
    "ImageSha384 is PCR0 under another name, and all keys of a condition must hold: nobody gets in.",
    "Keep one of the two.",
  ),
  "BP-KMS-020": no(
    "a register of all zeros",
    "Every enclave that was started in debug mode reports zeros for PCR0, PCR1, PCR2 and PCR8, whatever runs in it, and its console is readable from outside.",
    MEASURE,
  ),
  "BP-KMS-021": no(
    "a value that is not as long as a SHA-384",
    "Registers of enclaves are SHA-384: 48 bytes, 96 hex digits. No enclave reports a shorter or longer one.",
    MEASURE,
  ),
  "BP-KMS-022": no(
    "a register in base64",
    "KMS compares the text of the policy with the register in hex.",
    "Write the hex that the finding gives.",
  ),
  "BP-KMS-023": no(
    "a register with something before or between its digits",
    "KMS compares the whole text, so 0x, sha384: and spaces make it differ.",
    "Write the 96 digits alone, as the finding gives them.",
  ),
  "BP-KMS-024": no(
    "upper case under an operator that tells case",
    "KMS gives registers in lower case. StringEquals and StringLike tell upper from lower case.",
    "Use StringEqualsIgnoreCase, or write lower case.",
  ),
  "BP-KMS-025": no(
    "a value that is no register",
    "It is empty, a placeholder, or something else than hex.",
    MEASURE,
  ),
  "BP-KMS-027": undecided(
    "a value that is filled in later",
    "What stands between ${ and } is known to Terraform, CDK or IAM, and not to the linter.",
    "Give the policy that KMS gets, with the value in it.",
  ),
  "BP-KMS-028": note(
    "PCR2 of an image with a single ramdisk",
    "PCR2 measures the second and later ramdisks. With one ramdisk it has the same value for every image; PCR0 and PCR1 measure that ramdisk.",
  ),
  "BP-KMS-029": no(
    "two registers with one value",
    "PCR2 and PCR8 measure other bytes than PCR0 and PCR1, so the values differ. One was copied into the place of another.",
    MEASURE,
  ),
  "BP-KMS-030": no(
    "a pattern instead of a register",
    "* and ? stand for anything: everybody can make images until one fits a short pattern, and * fits all.",
    EXPORT,
  ),
  "BP-KMS-031": no(
    "IfExists",
    "Operators that end in IfExists hold when the request has no such value, that is, when it comes without any document.",
    EQUALS,
  ),
  "BP-KMS-032": no(
    "ForAllValues",
    "It holds for an empty set of values, that is, without any document.",
    EQUALS,
  ),
  "BP-KMS-033": no(
    "an operator that negates, in an Allow",
    "StringNotEquals and its like hold for every other value, and when there is none: the Allow lets in all but the listed.",
    EQUALS,
  ),
  "BP-KMS-034": warn(
    "Null asks only whether there is a document",
    'With "false" any enclave of anybody passes, with "true" whoever sends no document.',
    EQUALS,
  ),
  "BP-KMS-035": no(
    "an operator that does not compare text",
    "Registers are text. Operators for numbers, dates, ARNs or addresses do not fit, operators' names have case, and Null takes true or false.",
    EQUALS,
  ),
  "BP-KMS-036": no(
    "a pattern under an operator that takes none",
    "StringEquals takes * and ? as they stand, and no register contains them: nobody gets in.",
    MEASURE,
  ),
  "BP-KMS-037": note(
    "ForAnyValue does nothing here",
    "A register has one value, so any value is that value.",
  ),
  "BP-KMS-040": warn(
    "not all of PCR0, PCR1, PCR2 are pinned",
    "PCR0 measures kernel, command line and ramdisks as one string of bytes. Bytes may move from one to the next and PCR0 stays; PCR1 and PCR2 narrow that down.",
    EXPORT,
  ),
  "BP-KMS-041": warn(
    "only the signer is pinned",
    "PCR8 is of the certificate that the image was signed with. Whoever has its key, and every image ever signed with it, gets in.",
    "Pin PCR0, PCR1 and PCR2 beside it.",
  ),
  "BP-KMS-042": no(
    "no register of an application",
    "PCR1 is the same for all images with one bootstrap, PCR3 and PCR4 for all enclaves on an instance: any application gets in.",
    EXPORT,
  ),
  "BP-KMS-043": no(
    "lists of several registers",
    "Values of a list are alternatives, register by register: with two releases in lists, PCR0 of one passes with PCR2 of the other.",
    "Write one statement for each release; bootproof export kms NEW --previous OLD does.",
  ),
  "BP-KMS-050": warn(
    "operations that take no document",
    `${DOCUMENT_OPERATIONS} Under a condition on a document they are never allowed.`,
    "Allow them in a statement of their own, without the condition.",
  ),
  "BP-KMS-051": no(
    "only operations that take no document",
    `${DOCUMENT_OPERATIONS} Under its condition the statement allows nothing.`,
    "Use one of these operations, such as Decrypt of a wrapped key, and sign or encrypt inside the enclave.",
  ),
  "BP-KMS-052": warn(
    "new data keys without a document",
    "GenerateDataKey and GenerateDataKeyPair give a new key in plaintext and encrypted. They open nothing that exists, but what is encrypted with such a key is known outside the enclave.",
    "Right for who encrypts data for the enclave. The enclave's own secrets must come from its own GenerateDataKey.",
  ),
  "BP-KMS-053": no(
    "plaintext without a document",
    "Statements are alternatives: another one that allows Decrypt, or a condition that holds without a document, lets in who needs no enclave.",
    "Take the operations out of that statement; administrators and writers need no Decrypt.",
  ),
  "BP-KMS-054": no(
    "re-encryption without a document",
    "ReEncryptFrom turns what this key has encrypted into what another key has, inside KMS and without any enclave. Whoever may decrypt with the other key has the plaintext.",
    "Take kms:ReEncrypt* out of the statement.",
  ),
  "BP-KMS-055": warn(
    "who else could get in",
    "Whoever may do PutKeyPolicy can change every condition; a grant lets its holder decrypt and cannot demand a document; a replica of a multi-Region key has a policy of its own.",
    "Somebody has to administer the key: know who, and let CloudTrail tell you. CreateGrant is seldom needed.",
  ),
  "BP-KMS-056": no(
    "the account decides by its IAM policies",
    'A statement for "arn:aws:iam::ACCOUNT:root" with kms:* hands the decision to IAM policies of the account, which need not ask for a document.',
    "Give the account only operations that administer the key. AWS's advice NotAction kms:Decrypt leaves GenerateDataKey, ReEncryptFrom and CreateGrant open.",
  ),
  "BP-KMS-057": warn(
    "nobody may change the policy again",
    "Without PutKeyPolicy for somebody the next release can never be let in. Some do this on purpose; KMS wants --bypass-policy-lockout-safety-check for it.",
    "bootproof export kms --admin ARN adds an administrator.",
  ),
  "BP-KMS-058": warn(
    "everybody",
    'Principal "*" is any principal of any AWS account. With a condition on a document: whoever runs your image on an instance of theirs.',
    "Name the role of the instances.",
  ),
  "BP-KMS-059": warn(
    "everything but what is named",
    "NotAction, NotPrincipal and NotResource in an Allow let in all the rest, new operations too.",
    "Name what is allowed.",
  ),
  "BP-KMS-060": no(
    "a Deny that wants several registers to differ at once",
    "All keys of a condition must hold for a Deny as well: what differs in PCR0 alone is not stopped when PCR1 is compared beside it.",
    "Write one Deny for each register, or put all registers into an Allow, where this is what one means.",
  ),
  "BP-KMS-061": no(
    "a Deny that does not stop requests without a document",
    "The condition wants a value, and a request without a document has none.",
    "StringNotEquals and StringNotEqualsIgnoreCase hold when there is no value.",
  ),
  "BP-KMS-062": warn(
    "a Deny of operations that take no document",
    `${DOCUMENT_OPERATIONS} All others have no value to compare and are denied to everybody, administrators too.`,
    "Deny only operations that hand out plaintext.",
  ),
  "BP-KMS-063": no(
    "no condition on a document",
    "The policy asks for no enclave: the parent instance, and whoever has its role, gets the same as the enclave.",
    EXPORT,
  ),
  "BP-KMS-065": note(
    "GenerateRandom uses no key",
    "KMS asks no key policy for it. A condition for it belongs into the IAM policy of the role.",
  ),
  "BP-KMS-066": undecided(
    "the policy of a role or user",
    "Its statements name no principal. The key's own policy decides as well, and may allow what this one does not.",
    "Judge the key policy: aws kms get-key-policy --key-id KEY.",
  ),
  "BP-KMS-067": no(
    "a principal that is nobody",
    "A placeholder, a pattern or the ID of a deleted role names nobody. An enclave asks KMS as the role of its instance, so a statement for an AWS service never lets one in.",
    "Write the role's ARN.",
  ),
  "BP-KMS-070": refused(
    "a register of all zeros is not pinned",
    "Enclaves in debug mode report zeros, so such a policy would let in every one of them. PCR8 of zeros is an image that is not signed.",
    "Measure the image (bootproof measure nitro FILE) instead of asking a running enclave; leave PCR8 away for an unsigned one.",
  ),
  "BP-KMS-071": refused(
    "a release does not say what a register is",
    "A register that is to be pinned has to be among the release's.",
    "Measure the image, or pin fewer registers with --pcr.",
  ),
  "BP-KMS-072": refused("a register that is no SHA-384", "KMS compares with 48 bytes in hex.", MEASURE),
  "BP-KMS-073": refused(
    "registers that are not pinned",
    "PCR4 is one instance's, PCR5 to PCR7 and above PCR8 say nothing about an image, and without PCR0 and PCR2 any application gets in.",
    "Pin PCR0, PCR1 and PCR2, and PCR3 or PCR8 beside them.",
  ),
  "BP-KMS-074": refused(
    "a principal that is none",
    "Statements name roles, users or accounts by ARN.",
    "aws iam get-role --role-name NAME --query Role.Arn prints one.",
  ),
  "BP-KMS-075": refused(
    "two releases that cannot be told apart",
    "They have one name, or the same registers.",
    "Give each release once; NAME=FILE names one in the policy.",
  ),
  "BP-KMS-076": refused("an operation that cannot be pinned", DOCUMENT_OPERATIONS, "Leave it away."),
  "BP-KMS-077": refused(
    "a policy that is larger than KMS takes",
    "A key policy has at most 32 KiB.",
    "Leave out releases that no longer run.",
  ),
  "BP-KMS-080": refused(
    "a request that cannot be evaluated",
    "Its operation, principal, key or registers are not such as KMS knows.",
    "Write them as the message says.",
  ),
};

function no(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.no, why, fix };
}

function warn(title: string, why: string, fix: string): Page {
  return { title: `warning: ${title}`, exit: EXIT.yes, why, fix };
}

function note(title: string, why: string): Page {
  return { title: `note: ${title}`, exit: EXIT.yes, why, fix: "Nothing has to be done." };
}

function undecided(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.undecided, why, fix };
}

function malformed(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.malformed, why, fix };
}

function refused(title: string, why: string, fix: string): Page {
  return { title, exit: EXIT.usage, why, fix };
}
