/**
 * Who asks, and whom a statement is about: IAM User Guide, "AWS JSON policy elements: Principal".
 * @module
 */
import { KmsError } from "./kms-error.ts";
import type { Principals } from "./policy.ts";

/** Three answers: what is not modelled is never a yes. */
export type Match = "yes" | "no" | "unknown";

/** A match and why. */
export interface Matching {
  readonly match: Match;
  readonly reason: string;
}

/** An ARN of IAM or STS taken apart. */
export interface PrincipalArn {
  readonly text: string;
  readonly account: string;
  readonly kind: "root" | "role" | "user" | "session";
  /** Of a role or user its last part; of a session its role's. */
  readonly name: string;
}

const ARN =
  /^arn:aws(?:-[a-z]+)*:(iam|sts)::([0-9]{12}):(?:(root)|(role|user)\/((?:[\w+=,.@-]+\/)*)([\w+=,.@-]+)|assumed-role\/([\w+=,.@-]+)\/([\w+=,.@-]+))$/;

/** Reads the ARN of an account, role, user or session; undefined when it is none. */
export function readPrincipalArn(text: string): PrincipalArn | undefined {
  const [, service, account = "", root, kind, , name = "", session] = ARN.exec(text) ?? [];
  if (service === "iam" && root !== undefined) return { text, account, kind: "root", name: "root" };
  if (service === "iam" && (kind === "role" || kind === "user")) return { text, account, kind, name };
  if (service === "sts" && session !== undefined) return { text, account, kind: "session", name: session };
  return undefined;
}

const ACCOUNT =
  /^(?:arn:(?:aws[a-z-]*|\$\{[^}]*\}):iam::(\$\{[^}]*\}|[^:]*):root|([0-9]{12}|\$\{AWS::AccountId\}))$/;

/** The account, when a principal is one: also of a template that fills in its number later. */
export function readAccount(value: string): string | undefined {
  const [, ofRoot, alone] = ACCOUNT.exec(value) ?? [];
  return ofRoot ?? alone;
}

const NAMED = /^(?:arn:aws[a-z-]*:(?:iam|sts)::(?:[0-9]{12}|cloudfront):[^*?<>]+|[0-9]{12}|\*)$/;

/** Whether KMS takes a value as an AWS principal; whatever is filled in later may become one. */
export const canBePrincipal = (value: string): boolean => value.includes("${") || NAMED.test(value);

/** Reads the ARN of who asks; throws {@link KmsError}. */
export function parsePrincipalArn(text: string, code: "BP-KMS-074" | "BP-KMS-080"): PrincipalArn {
  const arn = readPrincipalArn(text);
  if (arn !== undefined) return arn;
  throw new KmsError(code, "the principal is not an ARN that KMS knows callers by", {
    expected: "arn:aws:iam::111122223333:role/NAME, or arn:aws:sts::111122223333:assumed-role/NAME/SESSION",
    found: JSON.stringify(text),
  });
}

/** Whether a statement is about who asks. */
export function matchPrincipal(
  principals: Principals | undefined,
  caller: PrincipalArn,
  effect: "Allow" | "Deny",
): Matching {
  if (principals === undefined)
    return { match: "yes", reason: "it names no principal: the policy of the role or user itself" };
  if (principals.not) return { match: "unknown", reason: "NotPrincipal is not modelled" };
  const matchings = principals.entries.map((entry) => matchEntry(entry, caller, effect));
  const best = (["yes", "unknown"] as const).map((match) =>
    matchings.find((matching) => matching.match === match),
  );
  return best[0] ?? best[1] ?? { match: "no", reason: "it is about other principals" };
}

const yes = (reason: string): Matching => ({ match: "yes", reason });
const no = (reason: string): Matching => ({ match: "no", reason });
const unknown = (reason: string): Matching => ({ match: "unknown", reason });

function matchEntry(
  { type, value }: Principals["entries"][number],
  caller: PrincipalArn,
  effect: "Allow" | "Deny",
): Matching {
  if (type !== "AWS") return no(`it is about a principal of type ${type}`);
  if (value === "*") return yes("it is about everybody");
  if (value === caller.text) return yes("it names the principal");
  const account = /^[0-9]{12}$/.test(value) ? value : undefined;
  const arn = readPrincipalArn(value);
  if (account !== undefined || arn?.kind === "root") {
    if ((account ?? arn?.account) !== caller.account) return no("it names another account");
    if (effect === "Deny" || caller.kind === "root") return yes("it names the account");
    return unknown(
      "it names the account: the IAM policies of the role or user decide, and they are not given",
    );
  }
  if (arn === undefined) return unknown(`what ${JSON.stringify(value)} names is not known`);
  if (arn.account !== caller.account || arn.name !== caller.name) return no("it names another principal");
  // A session's ARN lacks the path of its role; a role's name is unique in its account.
  if (arn.kind === "role" && caller.kind === "session") return yes("it names the role of the session");
  if (arn.kind === "session" && caller.kind === "role") return unknown("it names one session of the role");
  return no("it names another principal");
}
