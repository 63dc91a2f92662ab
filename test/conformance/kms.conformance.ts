/**
 * The policy simulator beside one that is not ours, @cloud-copilot/iam-simulate, installed with the machine's `npm`:
 * on policies made at random, what it allows we allow, and what it denies we never allow. Without a way to the package
 * the test is skipped and says so.
 * @module
 */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { readPolicies, simulateKms } from "@bootproof/statement/kms";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

const PEER = "@cloud-copilot/iam-simulate@0.1.173";
const CACHE = path.resolve(import.meta.dirname, "../../node_modules/.cache/bootproof-kms");
const MODULE = "node_modules/@cloud-copilot/iam-simulate/dist/esm/index.js";

type Simulate = (simulation: object, options: object) => Promise<{ readonly overallResult?: string }>;
let peer: Simulate | undefined;

beforeAll(async () => {
  await mkdir(CACHE, { recursive: true });
  try {
    await promisify(execFile)("npm", ["install", "--prefix", CACHE, "--no-audit", "--no-fund", PEER]);
    peer = ((await import(pathToFileURL(path.join(CACHE, MODULE)).href)) as { runSimulation: Simulate })
      .runSimulation;
  } catch {
    peer = undefined;
  }
}, 300_000);

const A = "a1".repeat(48);
const B = "b2".repeat(48);
const ROLE = "arn:aws:iam::123456789012:role/Webserver";
const KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555";
const OPERATIONS = ["Decrypt", "GenerateDataKey", "GenerateDataKeyPair", "DeriveSharedSecret"];
const OTHERS = ["Encrypt", "Sign", "PutKeyPolicy", "CreateGrant"];

const list = (item: fc.Arbitrary<string>): fc.Arbitrary<string | string[]> =>
  fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 2 }));
const pcr = fc
  .constantFrom("PCR0", "ImageSha384", "pcr1", "PCR2", "PCR8")
  .map((name) => `kms:RecipientAttestation:${name}`);
const value = fc.constantFrom(A, B, A.toUpperCase(), "a1*", "*", "a1?1*", "0".repeat(96));
const operator = fc
  .tuple(
    fc.constantFrom("", "", "ForAllValues:", "ForAnyValue:"),
    fc.constantFrom(
      "StringEquals",
      "StringEqualsIgnoreCase",
      "StringLike",
      "StringNotEquals",
      "StringNotLike",
    ),
    fc.constantFrom("", "", "IfExists"),
  )
  .map((parts) => parts.join(""));
const compared = fc.dictionary(pcr, list(value), { minKeys: 1, maxKeys: 2, noNullPrototype: true });
const condition = fc.oneof(
  fc.dictionary(operator, compared, { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
  fc.record({
    Null: fc.dictionary(pcr, fc.constantFrom("true", "false"), {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    }),
  }),
);
const action = list(
  fc.constantFrom("kms:Decrypt", "kms:*", "*", "kms:Gen*", "KMS:decrypt", "kms:Encrypt", "kms:Put*"),
);
const statement = fc
  .record(
    {
      Effect: fc.constantFrom("Allow", "Allow", "Deny"),
      Principal: fc.constantFrom<unknown>(
        ...["*", { AWS: "*" }, { AWS: ROLE }, { AWS: [ROLE, "210987654321"] }],
        ...[{ AWS: ROLE.replace("Web", "Other") }, { Service: "s3.amazonaws.com" }],
      ),
      Resource: fc.constantFrom("*", KEY, "arn:aws:kms:*:123456789012:key/0a*", `${KEY}f`),
      Action: action,
      NotAction: action,
      Condition: condition,
    },
    { requiredKeys: ["Effect", "Principal", "Resource"], noNullPrototype: true },
  )
  .map(({ Action, NotAction, ...rest }) =>
    Action === undefined ? { ...rest, NotAction: NotAction ?? "kms:Sign" } : { ...rest, Action },
  );
const registers = fc.option(
  fc.record({ 0: fc.constantFrom(A, B), 1: fc.constantFrom(A, B), 2: fc.constantFrom(A, B) }),
  { nil: undefined },
);

describe("the policy simulator", () => {
  it("agrees with one that is not ours on policies made at random", async ({ skip }) => {
    const simulate = peer ?? skip("iam-simulate is not here");
    const answers = { allow: 0, deny: 0, "could not decide": 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(statement, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...OPERATIONS, ...OTHERS),
        registers,
        async (Statement, operation, pcrs) => {
          const resourcePolicy = { Version: "2012-10-17", Statement };
          const [policy] = readPolicies(JSON.stringify(resourcePolicy));
          const request = { operation, principal: ROLE, pcrs, keyArn: KEY };
          const ours = policy === undefined ? "deny" : simulateKms(policy, request).answer;
          const theirs = await simulate(simulationOf(operation, pcrs, resourcePolicy), {
            simulationMode: "Strict",
          });
          answers[ours]++;
          if (ours !== "could not decide") expect(theirs.overallResult === "Allowed").toBe(ours === "allow");
        },
      ),
      { numRuns: 5000 },
    );
    // A simulator that never decides would agree with everybody.
    expect(answers.allow).toBeGreaterThan(500);
    expect(answers.deny).toBeGreaterThan(500);
    expect(answers["could not decide"]).toBeLessThan(500);
  }, 120_000);
});

/** The request as the peer takes it: the condition keys that KMS would set. */
function simulationOf(
  operation: string,
  pcrs: Readonly<Record<number, string>> | undefined,
  resourcePolicy: object,
): object {
  const document = pcrs !== undefined && OPERATIONS.includes(operation);
  const values = document
    ? Object.entries({ ImageSha384: pcrs[0], PCR0: pcrs[0], PCR1: pcrs[1], PCR2: pcrs[2] })
    : [];
  return {
    request: {
      principal: ROLE,
      action: `kms:${operation}`,
      resource: { resource: KEY, accountId: "123456789012" },
      contextVariables: Object.fromEntries(
        values.map(([name, found]) => [`kms:RecipientAttestation:${name}`, found]),
      ),
    },
    identityPolicies: [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy,
  };
}
