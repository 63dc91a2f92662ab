/**
 * Who gets at plaintext without the pinned enclave: statements beside the one with the condition, grants,
 * re-encryption, and those who may change the policy.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { evaluateConditions, type RequestContext } from "./evaluate-condition.ts";
import type { Report } from "./kms-finding.ts";
import { OPERATIONS, PLAINTEXT_OPERATIONS, takesRecipient } from "./operation.ts";
import type { Comparison, PolicyStatement } from "./policy.ts";
import { canBePrincipal, readAccount, readPrincipalArn } from "./principal.ts";
import { readRecipientKey } from "./recipient-key.ts";

/** What turns ciphertexts that exist into plaintext. */
const OPENING = ["Decrypt", "DeriveSharedSecret"] as const;
/** Whoever may do these can give themselves, or others, the rest. */
const ROUNDABOUT = ["PutKeyPolicy", "CreateGrant", "ReplicateKey"] as const;

const WHY: Readonly<Record<(typeof ROUNDABOUT)[number], string>> = {
  PutKeyPolicy: "may change this policy",
  CreateGrant: "may grant Decrypt, and no grant can demand a document",
  ReplicateKey: "may replicate a multi-Region key under another policy",
};

/** Judges an Allow without a condition on a document, as far as no Deny stops it. */
export function lintOpenAllow(
  statement: PolicyStatement,
  denies: readonly PolicyStatement[],
  report: Report,
): void {
  const about = denies.filter((deny) => covers(deny, statement));
  const open = (operation: string): boolean =>
    statement.operations.has(operation) && !about.some((deny) => stops(deny, statement, operation));
  const who = whoOf(statement);
  const plain = PLAINTEXT_OPERATIONS.filter(open);
  // New data keys open nothing that the enclave has closed.
  const opens = OPENING.some(open);
  const condition =
    statement.conditions.length === 0 ? "" : ", under conditions that have nothing to do with a document";
  if (plain.length > 0 && !opens)
    report("BP-KMS-052", {
      message: `${who} may do ${list(plain)} without any document${condition}: new keys, which they know as the enclave does`,
      fix: "keep it for who encrypts for the enclave; whatever is encrypted with such a key is not the enclave's alone",
      statement,
    });
  if (opens) {
    const account = accountsOf(statement);
    if (account !== undefined)
      report("BP-KMS-056", {
        message: `account ${account} may do ${list(plain)} as its IAM policies say${condition}: whoever writes those needs no enclave`,
        fix: `give the account the operations that administer the key, and not kms:*; or add a statement that denies ${list(plain)} without the document`,
        statement,
      });
    else
      report("BP-KMS-053", {
        message: `${who} may do ${list(plain)} without any document${condition}`,
        fix: "take these operations out of this statement, or add the same condition to it",
        statement,
      });
  }
  if (open("ReEncryptFrom") && !opens)
    report("BP-KMS-054", {
      message: `${who} may re-encrypt what this key has encrypted under a key of their own (ReEncryptFrom takes no document)`,
      fix: "take kms:ReEncrypt* out of this statement, or deny kms:ReEncryptFrom to everybody",
      statement,
    });
  // A Deny for everybody holds for whoever has a grant, too.
  const grantsEndThere = about.some((deny) => isForEverybody(deny) && stops(deny, statement, "Decrypt"));
  const roundabout = ROUNDABOUT.filter(
    (operation) => open(operation) && !(operation === "CreateGrant" && grantsEndThere),
  );
  if (roundabout.length > 0)
    report("BP-KMS-055", {
      message: `who else could get in: ${who} ${roundabout.map((operation) => WHY[operation]).join(", ")}`,
      fix: "know these principals; keep kms:CreateGrant away from them, and let CloudTrail tell of PutKeyPolicy",
      statement,
    });
}

/** Whether anybody may still change the policy. */
export function lintLockout(statements: readonly PolicyStatement[], report: Report): void {
  const denies = statements.filter(({ effect }) => effect === "Deny");
  const someone = statements.some(
    (statement) =>
      statement.effect === "Allow" &&
      statement.operations.has("PutKeyPolicy") &&
      !statement.conditions.some(({ key }) => readRecipientKey(key) !== undefined) &&
      !denies.some((deny) => stops(deny, statement, "PutKeyPolicy")),
  );
  if (!someone)
    report("BP-KMS-057", {
      message:
        "nobody may change this policy again: no new release can ever be let in, and KMS takes it only with --bypass-policy-lockout-safety-check",
      fix: "add a statement that lets an administrator do kms:PutKeyPolicy, unless that is what is meant",
    });
}

/** Judges an Allow's elements that include more than they name. */
export function lintEverybody(statement: PolicyStatement, attested: boolean, report: Report): void {
  const { principals, actions, operations, resources } = statement;
  if (isForEverybody(statement)) {
    const others = otherKeys(statement);
    const anybody =
      others.length === 0
        ? "any principal of any account"
        : `any principal of any account that its other conditions (${others.join(", ")}) let through`;
    report("BP-KMS-058", {
      message: attested
        ? `${anybody} gets in, with an enclave of the pinned image on their own instance`
        : `${anybody} is let in`,
      fix: "name the role of the instances",
      statement,
    });
  }
  lintNobody(statement, attested, report);
  const nots = [
    principals?.not === true ? "NotPrincipal" : "",
    actions.not ? "NotAction" : "",
    resources?.not === true ? "NotResource" : "",
  ].filter((name) => name !== "");
  if (nots.length > 0)
    report("BP-KMS-059", {
      message: `${nots.join(" and ")} in an Allow lets in everything that is not named${
        actions.not
          ? `: ${operations.size} operations of ${OPERATIONS.length}, and new ones as they come`
          : ""
      }`,
      fix: `write ${nots.map((name) => name.slice(3)).join(" and ")}`,
      statement,
    });
}

/** The condition keys of a statement that are about something else than a document. */
const otherKeys = ({ conditions }: PolicyStatement): string[] => [
  ...new Set(conditions.map(({ key }) => key).filter((key) => readRecipientKey(key) === undefined)),
];

/** Judges principals that nobody is, or no enclave. */
function lintNobody(statement: PolicyStatement, attested: boolean, report: Report): void {
  const { principals } = statement;
  if (principals === undefined || principals.not) return;
  for (const { value } of principals.entries.filter(({ type }) => type === "AWS")) {
    if (canBePrincipal(value)) continue;
    const deleted = /^A(?:RO|ID)A[A-Z0-9]{12,}$/.test(value);
    report("BP-KMS-067", {
      message: deleted
        ? `${value} is the ID of a role or user that has been deleted, and one of the same name is another`
        : `${quote(value)} names no principal: KMS refuses such a policy`,
      fix: "write the ARN of the role of the instances: arn:aws:iam::111122223333:role/NAME",
      statement,
    });
  }
  const types = [...new Set(principals.entries.map(({ type }) => type))];
  if (attested && types.length > 0 && !types.includes("AWS"))
    report("BP-KMS-067", {
      message: `an enclave asks as the role of its instance, and never as a principal of type ${types.join(", ")}`,
      fix: 'write "Principal": {"AWS": "arn:aws:iam::111122223333:role/NAME"}',
      statement,
    });
}

/** Judges operations under a condition on a document that never have one. */
export function lintOperations(statement: PolicyStatement, report: Report): void {
  const operations = [...statement.operations];
  const without = operations.filter((operation) => !takesRecipient(operation));
  if (without.length > 0) {
    const shown =
      without.length > 6 ? `${list(without.slice(0, 6))} and ${without.length - 6} more` : list(without);
    const none = without.length === operations.length;
    report(none ? "BP-KMS-051" : "BP-KMS-050", {
      message: `${shown} ${without.length === 1 ? "takes" : "take"} no document, so ${without.length === 1 ? "it is" : "they are"} never allowed under this condition${none ? ": the statement allows nothing" : ""}`,
      fix: "name only kms:Decrypt, kms:GenerateDataKey, kms:GenerateDataKeyPair, kms:DeriveSharedSecret here; allow others in a statement of their own",
      statement,
    });
  }
  if (operations.includes("GenerateRandom"))
    report("BP-KMS-065", {
      message: "GenerateRandom uses no key, so no key policy is asked",
      fix: "put the condition for kms:GenerateRandom into the role's IAM policy",
      statement,
    });
}

/** Whether a Deny stops what an Allow would let through, for every request without the pinned document. */
export function stops(deny: PolicyStatement, allow: PolicyStatement, operation: string): boolean {
  if (deny.effect !== "Deny" || deny.faults.length > 0) return false;
  if (!deny.operations.has(operation) || !covers(deny, allow)) return false;
  if (deny.resources !== undefined && (deny.resources.not || !deny.resources.patterns.includes("*")))
    return false;
  if (deny.conditions.some(({ key }) => readRecipientKey(key)?.kind !== "pcr")) return false;
  const contexts = takesRecipient(operation) ? [WITHOUT_DOCUMENT, FOREIGN_DOCUMENT] : [WITHOUT_DOCUMENT];
  return contexts.every((context) => evaluateConditions(deny.conditions, context).match === "yes");
}

/** A request without a document. */
export const WITHOUT_DOCUMENT: RequestContext = (key) => {
  const kind = readRecipientKey(key)?.kind;
  return kind === "pcr" || kind === "tpm" ? "absent" : "unknown";
};

/** A request with the document of an enclave that nobody means. */
export const FOREIGN_DOCUMENT: RequestContext = (key) =>
  readRecipientKey(key)?.kind === "pcr" ? { value: "5a".repeat(48) } : "unknown";

/** Of all documents that nobody means, one that passes comparisons where any does: registers may also be missing. */
export function passingDocument(comparisons: readonly Comparison[]): RequestContext {
  return (key) => {
    const read = readRecipientKey(key);
    if (read?.kind !== "pcr") return FOREIGN_DOCUMENT(key);
    const about = comparisons.filter((one) => {
      const other = readRecipientKey(one.key);
      return other?.kind === "pcr" && other.pcr === read.pcr;
    });
    const passes = (context: RequestContext): boolean => evaluateConditions(about, context).match === "yes";
    return passes(FOREIGN_DOCUMENT) || !passes(WITHOUT_DOCUMENT) ? FOREIGN_DOCUMENT(key) : "absent";
  };
}

const isForEverybody = ({ principals }: PolicyStatement): boolean =>
  principals?.not === false && principals.entries.some(({ type, value }) => type === "AWS" && value === "*");

function covers({ principals: deny }: PolicyStatement, { principals: allow }: PolicyStatement): boolean {
  if (deny === undefined || allow === undefined) return deny === allow;
  if (deny.not) return false;
  const named = deny.entries.filter(({ type }) => type === "AWS").map(({ value }) => value);
  if (named.includes("*")) return true;
  if (allow.not) return false;
  return allow.entries.every(({ value }) => {
    const account = readPrincipalArn(value)?.account ?? value;
    return named.some((name) => name === value || name === account || isRootOf(name, account));
  });
}

const isRootOf = (name: string, account: string): boolean => {
  const arn = readPrincipalArn(name);
  return arn?.kind === "root" && arn.account === account;
};

/** The account, when a statement is about accounts only. */
function accountsOf({ principals }: PolicyStatement): string | undefined {
  if (principals === undefined || principals.not || principals.entries.length === 0) return undefined;
  const accounts = principals.entries.map(({ value }) => readAccount(value));
  return accounts.every((account) => account !== undefined) ? [...new Set(accounts)].join(", ") : undefined;
}

/** Whom a statement is about, in words. */
export function whoOf({ principals }: PolicyStatement): string {
  if (principals === undefined) return "whoever has this policy";
  const names = principals.entries.map(({ type, value }) => {
    if (value === "*") return "everybody";
    const account = readAccount(value);
    if (account !== undefined) return `account ${account} (as its IAM policies say)`;
    return type === "AWS" ? value : `${type} ${value}`;
  });
  const all = names.length === 0 ? "nobody" : names.join(", ");
  return principals.not ? `everybody but ${all}` : all;
}

const list = (operations: readonly string[]): string => operations.join(", ");
