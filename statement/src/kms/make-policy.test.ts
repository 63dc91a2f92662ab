import { describe, expect, it } from "vitest";
import {
  formatCdk,
  formatKmsPolicy,
  formatTerraform,
  formatTerraformJson,
  lintKmsPolicy,
  makeKmsPolicy,
  readPolicies,
  simulateKms,
  type KmsPolicyOptions,
  type KmsRelease,
} from "./index.ts";

const ROLE = "arn:aws:iam::123456789012:role/Webserver";
const ADMIN = "arn:aws:iam::123456789012:role/Admin";
const registers = (seed: string): Record<string, string> =>
  Object.fromEntries(["PCR0", "PCR1", "PCR2", "PCR8"].map((name, at) => [name, `${seed}${at}`.repeat(48)]));
const OLD: KmsRelease = { name: "app 1.0", registers: registers("a") };
const NEW: KmsRelease = { name: "app 1.1", registers: registers("b") };
const make = (releases: readonly KmsRelease[], options: Partial<KmsPolicyOptions> = {}): string =>
  formatKmsPolicy(makeKmsPolicy(releases, { principal: ROLE, admin: ADMIN, ...options }));

const decrypts = (policy: string, pcrs: Record<number, string> | undefined, principal = ROLE): string =>
  simulateKms(readPolicies(policy)[0]!, { operation: "Decrypt", principal, pcrs }).answer;
const pcrsOf = ({ registers: all }: KmsRelease): Record<number, string> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [Number(name.slice(3)), value]));

describe("the policy of a release", () => {
  it("lets in its enclaves and nobody else, and the linter finds only who administers it", () => {
    const policy = make([OLD]);
    expect(decrypts(policy, pcrsOf(OLD))).toBe("allow");
    expect(decrypts(policy, pcrsOf(NEW))).toBe("deny");
    expect(decrypts(policy, undefined)).toBe("deny");
    expect(decrypts(policy, pcrsOf(OLD), ADMIN)).toBe("deny");
    const { answer, policies } = lintKmsPolicy(policy);
    expect(answer).toBe("yes");
    expect(policies[0]?.findings.map(({ code }) => code)).toEqual(["BP-KMS-055"]);
  });

  it("holds a statement for each release of a rollover, so that no mixture gets in", () => {
    const policy = make([NEW, OLD]);
    expect(decrypts(policy, pcrsOf(OLD))).toBe("allow");
    expect(decrypts(policy, pcrsOf(NEW))).toBe("allow");
    expect(decrypts(policy, { ...pcrsOf(OLD), 2: NEW.registers["PCR2"]! })).toBe("deny");
    expect(lintKmsPolicy(policy).answer).toBe("yes");
  });

  it("is the same every time, whatever the order and case of what is asked for", () => {
    const upper = {
      name: OLD.name,
      registers: Object.fromEntries(Object.entries(OLD.registers).map(([k, v]) => [k, v.toUpperCase()])),
    };
    const one = make([OLD], { pcrs: [8, 0, 2, 1], operations: ["kms:GenerateDataKey", "Decrypt"] });
    expect(
      make([upper], { pcrs: [0, 1, 2, 8, 8], operations: ["decrypt", "GenerateDataKey", "Decrypt"] }),
    ).toBe(one);
  });

  it("pins the instance's role by the PCR3 of AWS's documentation", () => {
    const policy = makeKmsPolicy([OLD], { principal: ROLE, pcrs: [0, 1, 2, 3] });
    expect(policy.Statement[0]?.Condition?.StringEqualsIgnoreCase["kms:RecipientAttestation:PCR3"]).toBe(
      "78fce75db17cd4e0a3fb8dad3ad128ca5e77edbb2b2c7f75329dccd99aa5f6ef4fc1f1a452e315b9e98f9e312e6921e6",
    );
  });

  it("lets others encrypt, and no more, when they are named", () => {
    const policy = make([OLD], { encrypter: "arn:aws:iam::123456789012:user/writer" });
    expect(lintKmsPolicy(policy).answer).toBe("yes");
    const request = { operation: "Encrypt", principal: "arn:aws:iam::123456789012:user/writer" };
    expect(simulateKms(readPolicies(policy)[0]!, request).answer).toBe("allow");
    expect(simulateKms(readPolicies(policy)[0]!, { ...request, operation: "Decrypt" }).answer).toBe("deny");
  });
});

describe("a policy is refused", () => {
  const changed = (name: string, value: string | undefined): KmsRelease => {
    const others = Object.entries(OLD.registers).filter(([register]) => register !== name);
    return {
      name: "app",
      registers: Object.fromEntries(value === undefined ? others : [...others, [name, value]]),
    };
  };
  it.each<[string, string, readonly KmsRelease[], Partial<KmsPolicyOptions>]>([
    ["registers of debug mode", "BP-KMS-070", [changed("PCR0", "0".repeat(96))], {}],
    [
      "PCR8 of an image that is not signed",
      "BP-KMS-070",
      [changed("PCR8", "0".repeat(96))],
      { pcrs: [0, 1, 2, 8] },
    ],
    ["a register that is not there", "BP-KMS-071", [changed("PCR1", undefined)], {}],
    ["no release", "BP-KMS-071", [], {}],
    ["a SHA-256", "BP-KMS-072", [changed("PCR2", "a".repeat(64))], {}],
    ["the instance's ID", "BP-KMS-073", [OLD], { pcrs: [0, 1, 2, 4] }],
    ["the bootstrap alone", "BP-KMS-073", [OLD], { pcrs: [1] }],
    ["a principal that is everybody", "BP-KMS-074", [OLD], { principal: "*" }],
    ["an administrator that is none", "BP-KMS-074", [OLD], { admin: "admin" }],
    ["PCR3 of a user", "BP-KMS-074", [OLD], { principal: "arn:aws:iam::123456789012:user/u", pcrs: [0, 3] }],
    ["one name for two releases", "BP-KMS-075", [OLD, { ...NEW, name: "app-1.0" }], {}],
    ["one release under two names", "BP-KMS-075", [OLD, { ...OLD, name: "other" }], {}],
    ["an operation without a document", "BP-KMS-076", [OLD], { operations: ["Encrypt"] }],
    ["an operation that uses no key", "BP-KMS-076", [OLD], { operations: ["GenerateRandom"] }],
    [
      "more releases than a policy has room for",
      "BP-KMS-077",
      Array.from({ length: 60 }, (_, at) => ({ name: `r${at}`, registers: numbered(at) })),
      {},
    ],
  ])("%s", (_what, code, releases, options) => {
    expect(() => make(releases, options)).toThrow(expect.objectContaining({ code }) as Error);
  });
});

const numbered = (at: number): Record<string, string> =>
  Object.fromEntries(
    ["PCR0", "PCR1", "PCR2"].map((name, pcr) => [name, (at * 3 + pcr + 1).toString(16).padStart(96, "0")]),
  );

describe("other forms of the same policy", () => {
  const policy = makeKmsPolicy([OLD, NEW], { principal: ROLE, admin: ADMIN });

  it("Terraform JSON holds the same statements", () => {
    const { data } = JSON.parse(formatTerraformJson(policy)) as {
      data: {
        aws_iam_policy_document: { enclave_key: { version: string; statement: Record<string, unknown>[] } };
      };
    };
    const { version, statement } = data.aws_iam_policy_document.enclave_key;
    expect(version).toBe("2012-10-17");
    expect(statement.map(({ sid }) => sid)).toEqual(policy.Statement.map(({ Sid }) => Sid));
    expect(statement[0]).toMatchObject({
      effect: "Allow",
      principals: [{ type: "AWS", identifiers: [ROLE] }],
      condition: [
        {
          test: "StringEqualsIgnoreCase",
          variable: "kms:RecipientAttestation:PCR0",
          values: [OLD.registers["PCR0"]],
        },
        { variable: "kms:RecipientAttestation:PCR1" },
        { variable: "kms:RecipientAttestation:PCR2" },
      ],
    });
    expect(statement[2]).not.toHaveProperty("condition");
  });

  it("HCL and CDK name every register, principal and operation of the policy", () => {
    for (const text of [formatTerraform(policy), formatCdk(policy)])
      for (const { Sid, Action, Principal, Condition } of policy.Statement)
        for (const part of [
          Sid,
          Principal.AWS,
          ...Action,
          ...Object.entries(Condition?.StringEqualsIgnoreCase ?? {}).flat(),
        ])
          expect(text).toContain(JSON.stringify(part));
  });

  it("HCL templates are not opened by what stands in a value", () => {
    const [statement] = policy.Statement;
    const text = formatTerraform({ ...policy, Statement: [{ ...statement!, Sid: "${x}%{y}" }] });
    expect(text).toContain('"$${x}%%{y}"');
  });
});
