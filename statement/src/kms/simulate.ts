/**
 * Says whether a policy lets a request through: IAM User Guide, "Policy evaluation logic". Three answers: whatever is
 * not modelled, such as policy variables, is *could not decide* and never *allow*.
 * @module
 */
import { evaluateConditions, type ContextValue, type RequestContext } from "./evaluate-condition.ts";
import { KmsError } from "./kms-error.ts";
import { readOperation, takesRecipient, OPERATIONS } from "./operation.ts";
import type { Policy, PolicyStatement } from "./policy.ts";
import { matchPrincipal, parsePrincipalArn, type Matching, type PrincipalArn } from "./principal.ts";
import { MAX_PCR, readRecipientKey } from "./recipient-key.ts";
import { hasVariable, matchesWildcard } from "./wildcard.ts";

/** A request to KMS. */
export interface KmsRequest {
  /** `Decrypt` or `kms:Decrypt`. */
  readonly operation: string;
  /** The ARN of a role, user or session. */
  readonly principal: string;
  /** Registers of the attestation document by index, in hex; undefined: a request without a document. */
  readonly pcrs?: Readonly<Record<number, string>> | undefined;
  readonly keyArn?: string | undefined;
  /** Values of other condition keys. */
  readonly context?: Readonly<Record<string, string>> | undefined;
}

/** What the policy makes of a request. */
export type KmsAnswer = "allow" | "deny" | "could not decide";

/** What one statement makes of it. */
export interface StatementOutcome {
  readonly index: number;
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny" | undefined;
  readonly applies: Matching["match"];
  readonly reason: string;
}

/** The answer, its reason, and every statement's part in it. */
export interface KmsSimulation {
  readonly answer: KmsAnswer;
  readonly reason: string;
  readonly statements: readonly StatementOutcome[];
  /** What would have to be looked at besides this policy. */
  readonly notLookedAt: readonly string[];
}

const NOT_LOOKED_AT = [
  "grants of the key",
  "IAM policies of the principal",
  "service control and resource control policies, permission boundaries, session and VPC endpoint policies",
];

interface ReadRequest {
  readonly operation: string;
  readonly caller: PrincipalArn;
  readonly keyArn: string | undefined;
  readonly context: RequestContext;
}

/** Evaluates a policy; throws {@link KmsError} for a request that cannot be read. */
export function simulateKms(policy: Policy, request: KmsRequest): KmsSimulation {
  const read = readRequest(request);
  const statements = policy.statements.map((statement) => outcomeOf(statement, read));
  return { ...decide(policy, statements, read), statements, notLookedAt: NOT_LOOKED_AT };
}

function readRequest(request: KmsRequest): ReadRequest {
  const operation = readOperation(request.operation);
  if (operation === undefined)
    throw new KmsError("BP-KMS-080", "the operation is none of KMS", {
      expected: `one of ${OPERATIONS.join(", ")}`,
      found: JSON.stringify(request.operation),
    });
  const caller = parsePrincipalArn(request.principal, "BP-KMS-080");
  const { keyArn } = request;
  if (keyArn !== undefined && !/^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key\/[A-Za-z0-9-]+$/.test(keyArn))
    throw new KmsError("BP-KMS-080", "the key is not named by its ARN", {
      expected: "arn:aws:kms:REGION:111122223333:key/KEY-ID",
      found: JSON.stringify(keyArn),
    });
  return { operation, caller, keyArn, context: contextOf(request, operation, caller) };
}

/** The condition keys of a request, as far as they are known. */
function contextOf(request: KmsRequest, operation: string, caller: PrincipalArn): RequestContext {
  const known = new Map<string, string>();
  if (caller.kind !== "session") known.set("aws:principalarn", caller.text);
  known.set("aws:principalaccount", caller.account).set("kms:calleraccount", caller.account);
  for (const [key, value] of Object.entries(request.context ?? {})) known.set(key.toLowerCase(), value);
  const pcrs = readPcrs(request.pcrs);
  return (key): ContextValue => {
    const recipient = readRecipientKey(key);
    switch (recipient?.kind) {
      case "pcr": {
        const value = takesRecipient(operation) ? pcrs.get(recipient.pcr) : undefined;
        return value === undefined ? "absent" : { value };
      }
      case "tpm":
        return "absent";
      case "misspelt":
        // KMS may learn new names, and a missing value lets negated operators through.
        return "unknown";
      case undefined: {
        const value = known.get(key.toLowerCase());
        return value === undefined ? "unknown" : { value };
      }
    }
  };
}

function readPcrs(pcrs: Readonly<Record<number, string>> = {}): Map<number, string> {
  return new Map(
    Object.entries(pcrs).map(([index, value]) => {
      if (!/^(0|[1-9][0-9]?)$/.test(index) || Number(index) > MAX_PCR || !/^[0-9a-f]{96}$/i.test(value))
        throw new KmsError("BP-KMS-080", `PCR${index} is not a register of an attestation document`, {
          expected: `PCR0 to PCR${MAX_PCR}, 48 bytes in hex`,
          found: JSON.stringify(value),
        });
      return [Number(index), value.toLowerCase()];
    }),
  );
}

function outcomeOf(statement: PolicyStatement, request: ReadRequest): StatementOutcome {
  const { index, sid, effect } = statement;
  const { match, reason } = applies(statement, request);
  return { index, sid, effect, applies: match, reason };
}

/** Whether a statement applies: its principal, action, resource and condition all do. */
function applies(statement: PolicyStatement, request: ReadRequest): Matching {
  const { faults, effect, resources, conditions, principals } = statement;
  const [fault] = faults;
  if (fault !== undefined || effect === undefined)
    return { match: "unknown", reason: fault?.message ?? "it cannot be read" };
  if (!statement.operations.has(request.operation))
    return { match: "no", reason: `its actions leave kms:${request.operation} out` };
  const parts = [
    matchPrincipal(principals, request.caller, effect),
    matchResource(resources, request.keyArn),
    evaluateConditions(conditions, request.context),
  ];
  return (
    parts.find(({ match }) => match === "no") ??
    parts.find(({ match }) => match === "unknown") ?? {
      match: "yes",
      reason: parts
        .map(({ reason }) => reason)
        .filter((reason) => reason !== "")
        .join("; "),
    }
  );
}

function matchResource(resources: PolicyStatement["resources"], keyArn: string | undefined): Matching {
  // A key policy may leave it out; it is about its key.
  if (resources === undefined) return { match: "yes", reason: "" };
  const { not, patterns } = resources;
  if (patterns.includes("*"))
    return not ? { match: "no", reason: "it is about no resource" } : { match: "yes", reason: "" };
  if (patterns.some(hasVariable))
    return { match: "unknown", reason: "a policy variable in Resource is not modelled" };
  if (keyArn === undefined)
    return { match: "unknown", reason: "it names resources, and the key's ARN is not given" };
  const named = patterns.some((pattern) => matchesWildcard(pattern, keyArn));
  return named === not
    ? { match: "no", reason: "it is about another key" }
    : { match: "yes", reason: "it is about the key" };
}

function decide(
  policy: Policy,
  statements: readonly StatementOutcome[],
  { operation, caller, keyArn }: ReadRequest,
): Pick<KmsSimulation, "answer" | "reason"> {
  const some = (effect: "Allow" | "Deny", match: Matching["match"]): StatementOutcome | undefined =>
    statements.find((statement) => statement.effect === effect && statement.applies === match);
  const denied = some("Deny", "yes");
  if (denied !== undefined) return { answer: "deny", reason: `${nameOf(denied)} denies: ${denied.reason}` };
  const unread = statements.find(({ effect }) => effect === undefined);
  const undecided = some("Deny", "unknown") ?? unread;
  const allowed = some("Allow", "yes");
  const maybe = some("Allow", "unknown") ?? unread;
  const identity = policy.statements.every(({ principals }) => principals === undefined);
  if (allowed === undefined && maybe === undefined && !identity)
    return { answer: "deny", reason: "no statement allows it" };
  const open = (reason: string): Pick<KmsSimulation, "answer" | "reason"> => ({
    answer: "could not decide",
    reason,
  });
  if (undecided !== undefined) return open(`${nameOf(undecided)} may deny: ${undecided.reason}`);
  if (identity)
    return open("the policy names no principal: it is a role's or user's, and the key's policy decides too");
  if (allowed === undefined) return open(`${nameOf(maybe)} may allow: ${maybe?.reason ?? ""}`);
  if (operation === "GenerateRandom")
    return open("GenerateRandom uses no key: IAM policies decide, and no key policy");
  if (keyArn !== undefined && keyArn.split(":")[4] !== caller.account)
    return open("the principal is of another account than the key: its own IAM policy must allow it too");
  return { answer: "allow", reason: `${nameOf(allowed)} allows: ${allowed.reason}` };
}

/** `statement 0 (EnclaveDecrypt)`. */
export function nameOf(
  statement: { readonly index: number; readonly sid: string | undefined } | undefined,
): string {
  if (statement === undefined) return "a statement";
  return `statement ${statement.index}${statement.sid === undefined ? "" : ` (${statement.sid})`}`;
}
