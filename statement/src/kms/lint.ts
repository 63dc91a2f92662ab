/**
 * Looks for the known traps in a key policy that lets an enclave in: each is named, with its place and what to write
 * instead. The answer is *yes* when only pinned enclaves get at plaintext, and whoever may change that is named.
 * @module
 */
import { isNegated, readOperator } from "./condition-operator.ts";
import { evaluateConditions } from "./evaluate-condition.ts";
import { KmsError } from "./kms-error.ts";
import { KMS_FINDINGS, type KmsFinding, type Report } from "./kms-finding.ts";
import {
  lintEverybody,
  lintLockout,
  lintOpenAllow,
  lintOperations,
  passingDocument,
  WITHOUT_DOCUMENT,
} from "./lint-access.ts";
import { lintConditions, type RecipientConditions } from "./lint-conditions.ts";
import { lintPins } from "./lint-pins.ts";
import { PLAINTEXT_OPERATIONS, takesRecipient } from "./operation.ts";
import { indexAt, TextPlaces } from "./place.ts";
import { readPolicies } from "./policy-sources.ts";
import type { Policy, PolicyStatement } from "./policy.ts";
import { readRecipientKey } from "./recipient-key.ts";

/** Whether only the pinned enclaves get in. */
export type KmsLintAnswer = "yes" | "no" | "could not decide";

/** What was found in one policy. */
export interface LintedPolicy {
  /** Where in the document it stands; undefined: it is the document. */
  readonly within: string | undefined;
  readonly statements: number;
  readonly findings: readonly KmsFinding[];
}

/** What was found in a document. */
export interface KmsLint {
  readonly answer: KmsLintAnswer;
  readonly policies: readonly LintedPolicy[];
}

/** Judges every policy in a text; throws {@link KmsError} when it is no JSON or holds no policy. */
export function lintKmsPolicy(text: string): KmsLint {
  const policies = readOrFind(text);
  const findings = policies.flatMap((policy) => policy.findings);
  const has = (severity: KmsFinding["severity"]): boolean =>
    findings.some((finding) => finding.severity === severity);
  return { answer: has("error") ? "no" : has("unclear") ? "could not decide" : "yes", policies };
}

function readOrFind(text: string): LintedPolicy[] {
  try {
    return readPolicies(text).map(lintPolicy);
  } catch (error) {
    // A key twice has no one reading, and that is a finding about a policy.
    if (!(error instanceof KmsError) || error.code !== "BP-KMS-002") throw error;
    const place = new TextPlaces(text).at(indexAt(text, error.offset ?? 0));
    const finding: KmsFinding = {
      code: "BP-KMS-002",
      severity: "error",
      message: `${error.message} (${error.found ?? ""})`,
      fix: error.hint ?? "",
      statement: undefined,
      sid: undefined,
      place,
    };
    return [{ within: undefined, statements: 0, findings: [finding] }];
  }
}

/** Judges one policy. */
export function lintPolicy(policy: Policy): LintedPolicy {
  const findings: KmsFinding[] = [];
  const report: Report = (code, { message, fix, statement, place }) =>
    findings.push({
      code,
      severity: KMS_FINDINGS[code],
      message,
      fix,
      statement: statement?.index,
      sid: statement?.sid,
      place: place ?? statement?.place,
    });
  lintGrammar(policy, report);
  const conditions = new Map(
    policy.statements.map((statement) => [statement, lintConditions(statement, report)]),
  );
  const denies = policy.statements.filter(({ effect }) => effect === "Deny");
  for (const [statement, recipient] of conditions) {
    if (statement.effect === "Allow") lintAllow(statement, recipient, denies, report);
    if (statement.effect === "Deny" && recipient.present) lintDeny(statement, recipient, report);
  }
  lintDenyPins(denies, report);
  if (![...conditions.values()].some(({ present }) => present))
    report("BP-KMS-063", {
      message: "no statement has a condition on an attestation document: no enclave is asked for",
      fix: "add one: bootproof export kms writes such a policy",
    });
  lintKind(policy, report);
  const order = (finding: KmsFinding): number => finding.statement ?? Number.MAX_SAFE_INTEGER;
  findings.sort((a, b) => order(a) - order(b));
  return { within: policy.within, statements: policy.statements.length, findings };
}

function lintGrammar({ version, statements, faults }: Policy, report: Report): void {
  for (const fault of faults) report("BP-KMS-004", fault);
  for (const statement of statements)
    for (const fault of statement.faults) report("BP-KMS-004", { ...fault, statement });
  if (version !== undefined && version !== "2012-10-17")
    report("BP-KMS-005", {
      message: `version ${JSON.stringify(version)} is not the current one, and takes policy variables as plain text`,
      fix: 'write "Version": "2012-10-17"',
    });
}

function lintAllow(
  statement: PolicyStatement,
  { present, pinned }: RecipientConditions,
  denies: readonly PolicyStatement[],
  report: Report,
): void {
  lintEverybody(statement, present, report);
  if (!present) {
    lintOpenAllow(statement, denies, report);
    return;
  }
  lintOperations(statement, report);
  if (!PLAINTEXT_OPERATIONS.some((operation) => statement.operations.has(operation))) return;
  if (pinned.size > 0) {
    lintPins(statement, pinned, report);
    return;
  }
  const about = statement.conditions.filter(({ key }) => readRecipientKey(key) !== undefined);
  // What the operators do together: each was named for itself.
  if (evaluateConditions(about, WITHOUT_DOCUMENT).match === "yes")
    report("BP-KMS-053", {
      message: "a request without any document passes the condition",
      fix: "compare PCR0, PCR1 and PCR2 under StringEqualsIgnoreCase",
      statement,
    });
  else if (evaluateConditions(about, passingDocument(about)).match === "yes")
    report("BP-KMS-042", {
      message: "any enclave passes the condition, whatever its image",
      fix: "compare PCR0, PCR1 and PCR2 under StringEqualsIgnoreCase",
      statement,
    });
}

function lintDeny(statement: PolicyStatement, { refused }: RecipientConditions, report: Report): void {
  const about = statement.conditions.filter(({ key }) => readRecipientKey(key) !== undefined);
  if (refused.size > 1)
    report("BP-KMS-060", {
      message: `it denies only what differs in ${[...refused].map((pcr) => `PCR${pcr}`).join(" and ")} at once: an enclave that matches in one of them is not stopped`,
      fix: "write one Deny for each register, or an Allow with all of them",
      statement,
    });
  if (refused.size > 0 && evaluateConditions(about, WITHOUT_DOCUMENT).match === "no")
    report("BP-KMS-061", {
      message: "it does not stop a request that comes without any document",
      fix: "write StringNotEqualsIgnoreCase without ForAnyValue: it holds when there is no document",
      statement,
    });
  const without = [...statement.operations].filter((operation) => !takesRecipient(operation));
  if (without.length > 0 && evaluateConditions(about, WITHOUT_DOCUMENT).match === "yes")
    report("BP-KMS-062", {
      message: `it also denies ${without.length > 4 ? `${without.length} operations` : without.join(", ")} that take no document, to everybody it is about${
        without.includes("PutKeyPolicy") ? ", and with them every change of this policy" : ""
      }`,
      fix: "deny only kms:Decrypt, kms:GenerateDataKey, kms:GenerateDataKeyPair, kms:DeriveSharedSecret and kms:ReEncryptFrom",
      statement,
    });
}

/** What Denies demand together: each register that one of them refuses when it differs. */
function lintDenyPins(denies: readonly PolicyStatement[], report: Report): void {
  const pinned = new Map<number, readonly string[]>();
  let first: PolicyStatement | undefined;
  for (const statement of denies)
    for (const { operator, key, values } of statement.conditions) {
      const read = readRecipientKey(key);
      const { base } = readOperator(operator);
      if (read?.kind !== "pcr" || base === undefined || base === "Null" || !isNegated(base)) continue;
      pinned.set(read.pcr, [...new Set(values.map((value) => value.toLowerCase()))]);
      first ??= statement;
    }
  if (first !== undefined) lintPins(first, pinned, report);
}

function lintKind({ statements }: Policy, report: Report): void {
  if (statements.every(({ principals }) => principals === undefined))
    report("BP-KMS-066", {
      message:
        "no statement names a principal: this is a role's or user's policy, and the key's own policy decides too",
      fix: "lint the key policy as well: aws kms get-key-policy --key-id KEY",
    });
  // One statement cut out of a policy says nothing about who administers the key.
  else if (statements.length > 1) lintLockout(statements, report);
}
