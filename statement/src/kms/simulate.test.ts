import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  lintKmsPolicy,
  readPolicies,
  simulateKms,
  type KmsAnswer,
  type KmsRequest,
  type KmsSimulation,
} from "./index.ts";

const A = "a1".repeat(48);
const B = "b2".repeat(48);
const C = "c3".repeat(48);
const ROLE = "arn:aws:iam::123456789012:role/service/Webserver";
const SESSION = "arn:aws:sts::123456789012:assumed-role/Webserver/i-0123456789abcdef0";
const KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555";
const key = (name: string): string => `kms:RecipientAttestation:${name}`;

type Json = Readonly<Record<string, unknown>>;
const statement = (rest: Json = {}): Json => ({
  Effect: "Allow",
  Principal: { AWS: ROLE },
  Action: "kms:Decrypt",
  Resource: "*",
  ...rest,
});
const REQUEST: KmsRequest = { operation: "Decrypt", principal: ROLE, pcrs: { 0: A, 1: B, 2: C } };

function simulate(statements: readonly Json[], request: Partial<KmsRequest> = {}): KmsSimulation {
  const [policy] = readPolicies(JSON.stringify({ Version: "2012-10-17", Statement: statements }));
  return simulateKms(policy!, { ...REQUEST, ...request });
}
const answer = (statements: readonly Json[], request: Partial<KmsRequest> = {}): KmsAnswer =>
  simulate(statements, request).answer;
const when = (operator: string, name: string, values: unknown): Json =>
  statement({ Condition: { [operator]: { [name]: values } } });

describe("who and what a statement is about", () => {
  it.each<[string, KmsAnswer, Json, Partial<KmsRequest>]>([
    ["the role", "allow", statement(), {}],
    ["a session of the role", "allow", statement(), { principal: SESSION }],
    ["everybody", "allow", statement({ Principal: "*" }), {}],
    ["another role", "deny", statement({ Principal: { AWS: ROLE.replace("Webserver", "Other") } }), {}],
    [
      "a role of that name in another account",
      "deny",
      statement({ Principal: { AWS: ROLE.replace("1234", "4321") } }),
      {},
    ],
    ["a service", "deny", statement({ Principal: { Service: "s3.amazonaws.com" } }), {}],
    [
      "the account: IAM policies decide",
      "could not decide",
      statement({ Principal: { AWS: "123456789012" } }),
      {},
    ],
    ["one session, the role asks", "could not decide", statement({ Principal: { AWS: SESSION } }), {}],
    [
      "one session, that session asks",
      "allow",
      statement({ Principal: { AWS: SESSION } }),
      { principal: SESSION },
    ],
    [
      "a principal by its ID",
      "could not decide",
      statement({ Principal: { AWS: "AROAVHSTH55KT5DRN767X" } }),
      {},
    ],
    [
      "NotPrincipal",
      "could not decide",
      statement({ Principal: undefined, NotPrincipal: { AWS: ROLE } }),
      {},
    ],
    ["no principal: a role's policy", "could not decide", statement({ Principal: undefined }), {}],
    ["another operation", "deny", statement({ Action: "kms:Encrypt" }), {}],
    ["a pattern of operations, in any case", "allow", statement({ Action: "KMS:de*" }), {}],
    ["all operations but this", "deny", statement({ Action: undefined, NotAction: "kms:Dec*" }), {}],
    ["all operations but another", "allow", statement({ Action: undefined, NotAction: "kms:Encrypt" }), {}],
    ["the key", "allow", statement({ Resource: KEY_ARN }), { keyArn: KEY_ARN }],
    ["keys of a pattern", "allow", statement({ Resource: "arn:aws:kms:*:key/0a1b*" }), { keyArn: KEY_ARN }],
    ["another key", "deny", statement({ Resource: `${KEY_ARN}0` }), { keyArn: KEY_ARN }],
    [
      "a key, and nobody says which one is asked for",
      "could not decide",
      statement({ Resource: KEY_ARN }),
      {},
    ],
    [
      "a variable in the resource",
      "could not decide",
      statement({ Resource: "arn:aws:kms:${aws:x}" }),
      { keyArn: KEY_ARN },
    ],
    [
      "a principal of another account than the key's",
      "could not decide",
      statement({ Principal: "*" }),
      { keyArn: KEY_ARN, principal: "arn:aws:iam::999999999999:role/R" },
    ],
    [
      "an operation that uses no key",
      "could not decide",
      statement({ Action: "kms:*" }),
      { operation: "GenerateRandom" },
    ],
    ["a statement that breaks the grammar", "could not decide", statement({ Effect: "allow" }), {}],
  ])("%s: %s", (_what, want, one, request) => {
    expect(answer([one], request)).toBe(want);
  });
});

describe("conditions", () => {
  it.each<[string, KmsAnswer, Json]>([
    ["the register", "allow", when("StringEquals", key("PCR0"), A)],
    ["the register under its other name", "allow", when("StringEquals", key("ImageSha384"), A)],
    ["a key's name in other letters", "allow", when("StringEquals", "KMS:RECIPIENTATTESTATION:pcr0", A)],
    ["one of several values", "allow", when("StringEquals", key("PCR0"), [B, A])],
    ["another value", "deny", when("StringEquals", key("PCR0"), B)],
    ["upper case, which differs", "deny", when("StringEquals", key("PCR0"), A.toUpperCase())],
    [
      "upper case where case is ignored",
      "allow",
      when("StringEqualsIgnoreCase", key("PCR0"), A.toUpperCase()),
    ],
    ["a pattern", "allow", when("StringLike", key("PCR0"), "a1*")],
    ["a pattern as plain text", "deny", when("StringEquals", key("PCR0"), "a1*")],
    ["a register that the document lacks", "deny", when("StringEquals", key("PCR8"), A)],
    ["the same, where that is enough", "allow", when("StringEqualsIfExists", key("PCR8"), A)],
    ["the same for a set", "allow", when("ForAllValues:StringEquals", key("PCR8"), A)],
    ["the same, negated", "allow", when("StringNotEquals", key("PCR8"), A)],
    [
      "a value that must be there for a set, negated",
      "deny",
      when("ForAnyValue:StringNotEquals", key("PCR8"), A),
    ],
    [
      "two rules that contradict each other, for a value that is not there",
      "could not decide",
      when("ForAnyValue:StringEqualsIfExists", key("PCR8"), A),
    ],
    ["a value that is not to be, in a list", "deny", when("StringNotEquals", key("PCR0"), [B, A])],
    ["a document there", "allow", when("Null", key("PCR0"), "false")],
    ["no document wanted", "deny", when("Null", key("PCR0"), true)],
    ["an instance's register", "deny", when("StringEquals", key("NitroTPMPCR0"), A)],
    ["a name that KMS may have one day", "could not decide", when("StringNotEquals", key("ImageSha512"), A)],
    ["a variable", "could not decide", when("StringEquals", key("PCR0"), "${aws:username}")],
    ["an operator for numbers", "could not decide", when("NumericEquals", key("PCR0"), "1")],
    ["another key", "could not decide", when("StringEquals", "kms:ViaService", "x")],
    ["another key, negated", "could not decide", when("StringNotEquals", "aws:SourceIp", "x")],
    ["no values", "could not decide", when("StringEquals", key("PCR0"), [])],
    ["the caller's account", "allow", when("StringEquals", "kms:CallerAccount", "123456789012")],
  ])("%s: %s", (_what, want, one) => {
    expect(answer([one])).toBe(want);
  });

  it("of other keys are evaluated when the request says their values", () => {
    const via = when("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com");
    expect(answer([via], { context: { "KMS:viaservice": "s3.eu-west-1.amazonaws.com" } })).toBe("allow");
    expect(answer([via], { context: { "kms:ViaService": "x" } })).toBe("deny");
  });

  it("on a document fail for a request without one, and for operations that take none", () => {
    const one = statement({ Action: "kms:*", Condition: { StringEquals: { [key("PCR0")]: A } } });
    expect(answer([one])).toBe("allow");
    expect(answer([one], { pcrs: undefined })).toBe("deny");
    for (const operation of ["Encrypt", "Sign", "ReEncryptFrom"])
      expect(answer([one], { operation })).toBe("deny");
  });
});

describe("statements together", () => {
  const allowA = when("StringEquals", key("PCR0"), A);
  const denyUnless = (pcr: string, value: string): Json => ({
    ...when("StringNotEquals", key(pcr), value),
    Effect: "Deny",
    Principal: "*",
  });
  it("a Deny wins, and one that cannot be decided never ends in allow", () => {
    expect(answer([allowA, { ...allowA, Effect: "Deny" }])).toBe("deny");
    expect(answer([allowA, denyUnless("PCR1", A)])).toBe("deny");
    expect(answer([allowA, denyUnless("PCR1", B)])).toBe("allow");
    expect(answer([allowA, { ...when("Bool", "aws:MultiFactorAuthPresent", "false"), Effect: "Deny" }])).toBe(
      "could not decide",
    );
    expect(
      answer([when("StringEquals", key("PCR0"), B), { ...when("Bool", "x", "y"), Effect: "Deny" }]),
    ).toBe("deny");
  });

  it("say each for itself what they make of it", () => {
    const { statements, reason, notLookedAt } = simulate([
      statement({ Sid: "Enclave" }),
      statement({ Action: "kms:Sign" }),
    ]);
    expect(reason).toContain("statement 0 (Enclave) allows");
    expect(statements).toMatchObject([
      { index: 0, sid: "Enclave", effect: "Allow", applies: "yes" },
      { index: 1, effect: "Allow", applies: "no", reason: "its actions leave kms:Decrypt out" },
    ]);
    expect(notLookedAt.join()).toContain("grants");
  });

  it("registers of two releases in lists let a mixture through, and a statement each does not", () => {
    const mixture = { pcrs: { 0: A, 2: "e5".repeat(48) } };
    const both = (pcr0: unknown, pcr2: unknown): Json =>
      statement({ Condition: { StringEquals: { [key("PCR0")]: pcr0, [key("PCR2")]: pcr2 } } });
    expect(answer([both([A, B], [C, "e5".repeat(48)])], mixture)).toBe("allow");
    expect(answer([both(A, C), both(B, "e5".repeat(48))], mixture)).toBe("deny");
  });
});

describe("requests that cannot be read", () => {
  it.each<[string, Partial<KmsRequest>]>([
    ["an operation that is none", { operation: "Decypher" }],
    ["a principal that is no ARN", { principal: "Webserver" }],
    ["an instance profile", { principal: "arn:aws:iam::123456789012:instance-profile/Webserver" }],
    ["a key's alias", { keyArn: "alias/x" }],
    ["a register that is none", { pcrs: { 32: A } }],
    ["a register of another length", { pcrs: { 0: "a1" } }],
  ])("are refused: %s", (_what, request) => {
    expect(() => simulate([statement()], request)).toThrow(
      expect.objectContaining({ code: "BP-KMS-080" }) as Error,
    );
  });
});

describe("the simulator and the linter", () => {
  const operators = fc
    .tuple(
      fc.constantFrom("", "ForAllValues:", "ForAnyValue:"),
      fc.constantFrom(
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "Null",
        "Bool",
      ),
      fc.constantFrom("", "IfExists"),
    )
    .map((parts) => parts.join(""));
  const names = fc.constantFrom("PCR0", "PCR1", "PCR2", "PCR3", "PCR8", "ImageSha384", "PCR00").map(key);
  const values = fc.constantFrom(A, B, C, A.toUpperCase(), "a1*", "${x}", "true", "false", "0".repeat(96));
  const condition = fc.dictionary(
    operators,
    fc.dictionary(names, fc.oneof(values, fc.array(values, { maxLength: 2 })), { minKeys: 1, maxKeys: 3 }),
    {
      minKeys: 1,
      maxKeys: 2,
    },
  );

  it("agree: what passes without a document, or in debug mode, is an error of the linter's", () => {
    const zeros = Object.fromEntries([0, 1, 2, 8].map((pcr) => [pcr, "0".repeat(96)]));
    fc.assert(
      fc.property(condition, (Condition) => {
        const one = statement({ Condition });
        const passes = [undefined, zeros].some((pcrs) => answer([one], { pcrs }) === "allow");
        if (passes) expect(lintKmsPolicy(JSON.stringify(one)).answer).toBe("no");
      }),
      { numRuns: 2000 },
    );
  });

  it("agree: what the linter finds good lets its own image in and no other", () => {
    fc.assert(
      fc.property(condition, (Condition) => {
        const one = statement({ Condition });
        if (lintKmsPolicy(JSON.stringify(one)).answer !== "yes") return;
        const foreign = Object.fromEntries([0, 1, 2, 8].map((pcr) => [pcr, "5a".repeat(48)]));
        expect(answer([one], { pcrs: foreign })).toBe("deny");
      }),
      { numRuns: 2000 },
    );
  });

  const part = fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.integer());
  const anyJson = fc.oneof(
    part,
    fc.array(part),
    fc.dictionary(fc.string(), fc.oneof(part, fc.dictionary(fc.string(), part))),
  );

  it("no policy and no request makes it throw anything but a refusal", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("Action", "Principal", "Resource", "Condition", "Effect", "NotPrincipal"),
        anyJson,
        (name, value) => {
          expect(["allow", "deny", "could not decide"]).toContain(answer([statement({ [name]: value })]));
        },
      ),
    );
  });
});
