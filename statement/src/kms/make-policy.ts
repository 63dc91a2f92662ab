/**
 * Makes the policy of a key that lets in the enclaves of releases: one statement for each release, so that no
 * kernel of one goes with an application of another, and one for whoever administers the key.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { KmsError } from "./kms-error.ts";
import { registerOfText } from "./lint-pins.ts";
import { PLAINTEXT_OPERATIONS, readOperation, RECIPIENT_OPERATIONS, takesRecipient } from "./operation.ts";
import { parsePrincipalArn } from "./principal.ts";
import { pcrKey } from "./recipient-key.ts";

/** A release and the registers that its enclaves report. */
export interface KmsRelease {
  /** For the statement's Sid: letters and digits of it. */
  readonly name: string;
  /** Hex by name: `PCR0`, `PCR1`, `PCR2`, `PCR8`. */
  readonly registers: Readonly<Record<string, string>>;
}

/** What a policy is made with. */
export interface KmsPolicyOptions {
  /** The role of the parent instances. */
  readonly principal: string;
  /** Registers to pin; default 0, 1, 2. 3 is computed from the principal, 8 is of the signing certificate. */
  readonly pcrs?: readonly number[] | undefined;
  /** Default: all that hand out plaintext under the key and take a document. */
  readonly operations?: readonly string[] | undefined;
  /** Who administers the key and may change the policy. */
  readonly admin?: string | undefined;
  /** Who may encrypt with the key, and do nothing else. */
  readonly encrypter?: string | undefined;
}

/** A statement as this package writes it. */
export interface MadeStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: { readonly AWS: string };
  readonly Action: readonly string[];
  readonly Resource: "*";
  readonly Condition?: { readonly StringEqualsIgnoreCase: Readonly<Record<string, string>> };
}

/** A policy as this package writes it. */
export interface MadePolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly MadeStatement[];
}

/** Quotas of KMS: a key policy document. */
const MAX_POLICY = 32 * 1024;
const DEFAULT_PCRS = [0, 1, 2];
const PINNABLE = [0, 1, 2, 3, 8];

/** Administration without a way to plaintext but the policy itself: no Decrypt, CreateGrant, ReEncrypt, ReplicateKey. */
const ADMIN_OPERATIONS = [
  "CancelKeyDeletion",
  "DescribeKey",
  "DisableKey",
  "DisableKeyRotation",
  "EnableKey",
  "EnableKeyRotation",
  "GetKeyPolicy",
  "GetKeyRotationStatus",
  "ListGrants",
  "ListKeyPolicies",
  "ListResourceTags",
  "PutKeyPolicy",
  "RevokeGrant",
  "ScheduleKeyDeletion",
  "TagResource",
  "UntagResource",
  "UpdateKeyDescription",
];

/** Makes the policy; the same releases in the same order give the same bytes. Throws {@link KmsError}. */
export function makeKmsPolicy(releases: readonly KmsRelease[], options: KmsPolicyOptions): MadePolicy {
  const pcrs = readPcrs(options.pcrs ?? DEFAULT_PCRS);
  const operations = readOperations(options.operations ?? PLAINTEXT_OPERATIONS);
  const principal = parsePrincipalArn(options.principal, "BP-KMS-074").text;
  if (releases.length === 0) throw new KmsError("BP-KMS-071", "there is no release to let in");
  const statements: MadeStatement[] = releases.map((release) => ({
    Sid: `Enclave${sidOf(release.name)}`,
    Effect: "Allow",
    Principal: { AWS: principal },
    Action: operations,
    Resource: "*",
    Condition: { StringEqualsIgnoreCase: conditionOf(release, pcrs, principal) },
  }));
  refuseTwins(releases, statements);
  if (options.encrypter !== undefined)
    statements.push(plainStatement("Encrypt", options.encrypter, ["DescribeKey", "Encrypt"]));
  if (options.admin !== undefined)
    statements.push(plainStatement("AdministerKey", options.admin, ADMIN_OPERATIONS));
  const policy: MadePolicy = { Version: "2012-10-17", Statement: statements };
  const size = formatKmsPolicy(policy).length;
  if (size > MAX_POLICY)
    throw new KmsError("BP-KMS-077", "the policy is larger than KMS takes", {
      expected: `at most ${MAX_POLICY} bytes`,
      found: `${size}`,
      hint: "leave out releases that no longer run",
    });
  return policy;
}

/** A policy as JSON, with a newline at the end. */
export const formatKmsPolicy = (policy: MadePolicy): string => `${JSON.stringify(policy, undefined, 2)}\n`;

function plainStatement(sid: string, principal: string, operations: readonly string[]): MadeStatement {
  return {
    Sid: sid,
    Effect: "Allow",
    Principal: { AWS: parsePrincipalArn(principal, "BP-KMS-074").text },
    Action: operations.map((operation) => `kms:${operation}`),
    Resource: "*",
  };
}

function readPcrs(pcrs: readonly number[]): number[] {
  for (const pcr of pcrs)
    if (!PINNABLE.includes(pcr))
      throw new KmsError("BP-KMS-073", `PCR${pcr} is not pinned`, {
        expected: PINNABLE.map((known) => `PCR${known}`).join(", "),
        found: `PCR${pcr}${pcr === 4 ? ", which is the instance's ID: every other instance would be shut out" : ""}`,
      });
  const sorted = [...new Set(pcrs)].sort((a, b) => a - b);
  if (!sorted.includes(0) && !sorted.includes(2))
    throw new KmsError("BP-KMS-073", "without PCR0 and PCR2 any application would get in", {
      expected: "PCR0, PCR1 and PCR2 at least",
      found: sorted.map((pcr) => `PCR${pcr}`).join(", "),
    });
  return sorted;
}

function readOperations(given: readonly string[]): string[] {
  const operations = given.map((text) => {
    const operation = readOperation(text);
    if (operation === undefined || !takesRecipient(operation) || operation === "GenerateRandom")
      throw new KmsError("BP-KMS-076", "the operation takes no attestation document, or uses no key", {
        expected: RECIPIENT_OPERATIONS.filter((name) => name !== "GenerateRandom").join(", "),
        found: quote(text),
      });
    return `kms:${operation}`;
  });
  return [...new Set(operations)].sort();
}

/** Letters and digits, as IAM wants a Sid. */
const sidOf = (name: string): string =>
  name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("")
    .slice(0, 60);

function conditionOf(
  { name, registers }: KmsRelease,
  pcrs: readonly number[],
  principal: string,
): Record<string, string> {
  return Object.fromEntries(
    pcrs.map((pcr) => {
      if (pcr === 3) return [pcrKey(3), roleRegister(principal)];
      const value = registers[`PCR${pcr}`];
      if (value === undefined)
        throw new KmsError("BP-KMS-071", `${name} does not say what PCR${pcr} is`, {
          expected: pcrs.map((wanted) => `PCR${wanted}`).join(", "),
          found: Object.keys(registers).join(", ") || "no register",
        });
      if (!/^[0-9a-f]{96}$/i.test(value))
        throw new KmsError("BP-KMS-072", `PCR${pcr} of ${name} is no SHA-384`, {
          expected: "96 hex digits",
          found: quote(value),
        });
      if (/^0+$/.test(value)) throw zeroRegister(pcr, name);
      return [pcrKey(pcr), value.toLowerCase()];
    }),
  );
}

function zeroRegister(pcr: number, name: string): KmsError {
  return new KmsError("BP-KMS-070", `PCR${pcr} of ${name} is all zeros`, {
    expected: "the value of an enclave that runs without debug mode",
    found: "0".repeat(96),
    hint:
      pcr === 8
        ? "the image is not signed: leave PCR8 away"
        : "zeros are the registers of every enclave in debug mode; measure the image instead: bootproof measure nitro FILE",
  });
}

function roleRegister(principal: string): string {
  if (/^arn:aws[a-z-]*:iam::[0-9]{12}:role\//.test(principal)) return registerOfText(principal);
  throw new KmsError("BP-KMS-074", "PCR3 is of the instance's role, and the principal is none", {
    expected: "arn:aws:iam::111122223333:role/NAME",
    found: quote(principal),
  });
}

function refuseTwins(releases: readonly KmsRelease[], statements: readonly MadeStatement[]): void {
  const seen = new Map<string, string>();
  for (const [index, { Sid, Condition }] of statements.entries()) {
    const name = releases[index]?.name ?? "";
    for (const key of [Sid, JSON.stringify(Condition)]) {
      const earlier = seen.get(key);
      if (earlier !== undefined)
        throw new KmsError("BP-KMS-075", "two releases cannot be told apart", {
          expected: "releases with different names and registers",
          found: `${earlier} and ${name}`,
        });
      seen.set(key, name);
    }
  }
}
