import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lintKmsPolicy } from "./index.ts";
import { admin, allow, codesOf, enclave, IMAGE, key, pinned, policy, ROLE } from "./policies.testing.ts";

const statementsOf = (text: string): unknown[] => (JSON.parse(text) as { Statement: unknown[] }).Statement;

describe("policies as people have them", () => {
  const bad = policy(enclave({ StringEquals: { ...IMAGE, [key("PCR0")]: "0".repeat(96) } }), admin);
  it.each<[string, string, string | undefined]>([
    ["a statement cut out of a policy", JSON.stringify(statementsOf(bad)[0]), undefined],
    ["a list of statements", JSON.stringify(statementsOf(bad)), undefined],
    ["what get-key-policy prints", JSON.stringify({ Policy: bad, PolicyName: "default" }), "Policy"],
    [
      "a Terraform plan",
      JSON.stringify({
        prior_state: { values: { policy: policy(allow({ Action: "kms:*" })) } },
        planned_values: { root_module: { resources: [{ values: { policy: bad } }] } },
      }),
      "root_module.resources[0].values.policy",
    ],
    [
      "a CloudFormation template",
      JSON.stringify({
        Resources: {
          Role: {
            Properties: {
              AssumeRolePolicyDocument: { Statement: [{ Effect: "Allow", Action: "sts:AssumeRole" }] },
            },
          },
          Key: { Properties: { KeyPolicy: JSON.parse(bad) as unknown } },
        },
      }),
      "Resources.Key.Properties.KeyPolicy",
    ],
  ])("%s", (_what, text, within) => {
    const found = lintKmsPolicy(text);
    expect(found.answer).toBe("no");
    expect(found.policies.map((one) => one.within)).toEqual([within]);
    expect(codesOf(found)).toContain("BP-KMS-020");
  });

  it("statements cut out of a list, with the comma behind them, are read, and stand where they stand", () => {
    const [enclaves, admins] = statementsOf(bad).map((one) => JSON.stringify(one, undefined, 2));
    const { answer, policies } = lintKmsPolicy(`\uFEFF${enclaves},\n${admins},\n`);
    expect(answer).toBe("no");
    expect(policies[0]).toMatchObject({ statements: 2 });
    expect(policies[0]?.findings[0]).toMatchObject({ code: "BP-KMS-020", place: { line: 11, column: 7 } });
    expect(() => lintKmsPolicy(`${enclaves}, x`)).toThrow("not JSON");
  });

  it("findings stand where their key stands", () => {
    const text = JSON.stringify(JSON.parse(bad), undefined, 2);
    const [finding] = lintKmsPolicy(text).policies[0]?.findings ?? [];
    expect(finding).toMatchObject({ code: "BP-KMS-020", statement: 0, sid: "Enclave" });
    const line = text.split("\n")[finding!.place!.line - 1]!;
    expect(line.slice(finding!.place!.column - 1)).toMatch(/^"kms:RecipientAttestation:PCR0": "000/);
  });

  it.each([
    ['resource "aws_kms_key" "k" {\n  policy = "x"\n}', "Terraform"],
    ['{\n  Sid = "x"\n  Effect = "Allow"\n}', "Terraform"],
    ['new iam.PolicyStatement({ actions: ["kms:Decrypt"] })', "CDK"],
    ["Statement:\n  - Effect: Allow\n", "YAML"],
    ['{"Statement": [],}', "not JSON"],
    ["", "not JSON"],
  ])("what is not JSON is named: %j", (text, name) => {
    expect(() => lintKmsPolicy(text)).toThrow(expect.objectContaining({ code: "BP-KMS-001" }) as Error);
    expect(() => lintKmsPolicy(text)).toThrow(name);
  });

  it("a key twice is a finding, as readers keep another one each", () => {
    const twice =
      '{"Statement": [{"Effect": "Allow", "Condition": {\n"StringEquals": {}, "StringEquals": {}}}]}';
    expect(lintKmsPolicy(twice)).toMatchObject({
      answer: "no",
      policies: [{ findings: [{ code: "BP-KMS-002", place: { line: 2, column: 21 } }] }],
    });
  });

  it.each([
    "null",
    "{}",
    "[]",
    '"text"',
    '{"Policy": "{}"}',
    '{"a": {"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}}',
  ])("JSON without a policy is told so: %s", (text) => {
    expect(() => lintKmsPolicy(text)).toThrow(expect.objectContaining({ code: "BP-KMS-003" }) as Error);
  });

  it.each<[string, unknown]>([
    ["no object", "x"],
    ["no effect", { Action: "kms:Decrypt", Condition: {} }],
    ["an effect in small letters", { Effect: "allow", Action: "kms:Decrypt" }],
    ["no action", { Effect: "Allow", Condition: {} }],
    ["an unknown element", { Effect: "Allow", Action: "kms:Decrypt", Conditions: {} }],
    ["a principal that is text", { Effect: "Allow", Action: "kms:Decrypt", Principal: ROLE }],
    ["a condition that is text", { Effect: "Allow", Action: "kms:Decrypt", Condition: "x" }],
    [
      "an operator without keys",
      { Effect: "Allow", Action: "kms:Decrypt", Condition: { StringEquals: "x" } },
    ],
    ["both Action and NotAction", { Effect: "Allow", Action: "kms:Decrypt", NotAction: "kms:Encrypt" }],
  ])("what breaks the grammar is a finding: %s", (_what, statement) => {
    expect(lintKmsPolicy(JSON.stringify({ Statement: [statement] })).answer).toBe("no");
    expect(codesOf(lintKmsPolicy(JSON.stringify({ Statement: [statement] })))).toContain("BP-KMS-004");
  });
});

describe("hostile policies", () => {
  const known = (error: unknown): boolean => /^BP-KMS-00[13]$/.test((error as { code?: string }).code ?? "");
  const tolerant = (text: string): void => {
    try {
      lintKmsPolicy(text);
    } catch (error) {
      if (!known(error)) throw error;
    }
  };
  it("any text is linted or refused by name", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), tolerant));
  });

  it("any change of one character of a policy is linted or refused by name", () => {
    const text = policy(pinned, admin);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, other) => {
        tolerant(text.slice(0, at) + other + text.slice(at + 1));
      }),
    );
  });

  it("any JSON in place of any element is linted or refused by name", () => {
    const element = fc.constantFrom(
      "Effect",
      "Action",
      "Principal",
      "Resource",
      "Condition",
      "Sid",
      "NotAction",
    );
    fc.assert(
      fc.property(element, fc.jsonValue(), (name, value) =>
        tolerant(policy({ ...pinned, [name]: value }, admin)),
      ),
    );
  });
});
