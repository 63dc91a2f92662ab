import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lintKmsPolicy } from "./index.ts";
import {
  A,
  admin,
  allow,
  B,
  codesOf,
  enclave,
  IMAGE,
  key,
  pinned,
  policy,
  ROLE,
} from "./policies.testing.ts";

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

  it.each([
    ['{"Effect": "Allow", // why\n"Action": "kms:Decrypt"}', "line 1, column 21", "comments"],
    ['{"Principal": {"AWS": INSTANCE_ROLE_ARN}}', "line 1, column 23", "placeholder"],
    ['{"Statement": [\n...\n]}', "line 2, column 1", "without the dots"],
    ['{"Statement": [\n{}\n{}]}', "line 3, column 1", "a comma is missing"],
    ['{"Statement": [],\n}', "line 2, column 1", "take out the comma"],
    ["{'Statement': []}", "line 1, column 2", "double quotation marks"],
    ["cat > policy.json <<EOF\n{}\nEOF", "line 1, column 1", "without the text around it"],
    ['"StringEquals": {"kms:RecipientAttestation:PCR0": "a1"}', "line 1, column 15", "whole policy"],
    ["", "line 1, column 1", "empty"],
  ])("what is wrong with pasted text is said with its line: %j", (text, place, hint) => {
    expect(() => lintKmsPolicy(text)).toThrow(place);
    expect(() => lintKmsPolicy(text)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(hint) as string }) as Error,
    );
  });

  it("a condition alone is told what it lacks", () => {
    expect(() => lintKmsPolicy(JSON.stringify({ Condition: pinned["Condition"] }))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("whole statement") as string }) as Error,
    );
  });

  it("Terraform's JSON is the policy that it becomes, with its places", () => {
    const condition = Object.entries(IMAGE).map(([variable, value]) => ({
      test: "StringEqualsIgnoreCase",
      variable,
      values: [value],
    }));
    const statement = (rest: object): object => ({
      sid: null,
      actions: ["kms:Decrypt"],
      resources: ["*"],
      principals: [{ type: "AWS", identifiers: [ROLE] }],
      condition,
      ...rest,
    });
    const administer = {
      sid: "A",
      actions: ["kms:PutKeyPolicy"],
      principals: { type: "AWS", identifiers: [ROLE] },
    };
    const text = (...statements: object[]): string =>
      JSON.stringify({ data: { aws_iam_policy_document: { k: { statement: statements } } } }, null, 1);
    expect(lintKmsPolicy(text(statement({}), administer))).toMatchObject({
      answer: "yes",
      policies: [{ within: "data.aws_iam_policy_document.k", findings: [{ code: "BP-KMS-055", sid: "A" }] }],
    });
    const first = (rest: object): unknown => lintKmsPolicy(text(statement(rest))).policies[0]?.findings[0];
    const zero = { ...condition[0], values: ["0".repeat(96)] };
    const bad = text(statement({ condition: [zero] }));
    const [found] = lintKmsPolicy(bad).policies[0]?.findings ?? [];
    expect(found?.code).toBe("BP-KMS-020");
    expect(bad.split("\n")[found!.place!.line - 1]).toContain('"variable": "kms:RecipientAttestation:PCR0"');
    expect(first({ condition: [] })).toMatchObject({ code: "BP-KMS-053" });
    expect(first({ principals: [{ type: "*", identifiers: ["*"] }] })).toMatchObject({ code: "BP-KMS-058" });
    expect(first({ conditions: [] })).toMatchObject({ code: "BP-KMS-004" });
    expect(first({ condition: ["x"] })).toMatchObject({ code: "BP-KMS-004" });
    const twoValues = [condition[0], { ...condition[0], values: [B] }, ...condition.slice(1)];
    expect(first({ condition: [...twoValues, { ...condition[1], values: [A] }] })).toMatchObject({
      code: "BP-KMS-043",
    });
  });

  it("a policy in Terraform's state is judged once", () => {
    const values = {
      json: policy(pinned, admin),
      minified_json: policy(pinned, admin),
      statement: [{ actions: ["kms:*"] }],
    };
    expect(
      lintKmsPolicy(JSON.stringify({ values: { root_module: { resources: [{ values }] } } })).policies,
    ).toHaveLength(1);
  });

  it("functions of a CloudFormation template are what they say, or filled in later", () => {
    const root = {
      "Fn::Join": ["", ["arn:", { Ref: "AWS::Partition" }, ":iam::", { Ref: "AWS::AccountId" }, ":root"]],
    };
    const template = (account: unknown, pcr0: unknown): string =>
      JSON.stringify({
        Resources: {
          Key: {
            Properties: {
              KeyPolicy: {
                Statement: [
                  { ...admin, Action: "kms:*", Principal: { AWS: account } },
                  {
                    ...pinned,
                    Principal: { AWS: { "Fn::GetAtt": ["Role", "Arn"] } },
                    Condition: { StringEquals: { ...IMAGE, [key("PCR0")]: pcr0 } },
                  },
                ],
              },
            },
          },
        },
      });
    for (const account of [
      root,
      { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root" },
      { Ref: "AWS::AccountId" },
    ]) {
      const { policies } = lintKmsPolicy(template(account, A));
      expect(policies[0]?.findings.map(({ code }) => code)).toEqual(["BP-KMS-056", "BP-KMS-055"]);
      expect(policies[0]?.findings[0]?.message).toContain("account ${AWS::AccountId} may do Decrypt");
    }
    const good = template("arn:aws:iam::123456789012:role/Admin", A).replace("kms:*", "kms:PutKeyPolicy");
    expect(lintKmsPolicy(good).answer).toBe("yes");
    for (const later of [{ Ref: "Pcr0" }, { "Fn::If": ["x", A, B] }, { "Fn::Join": ["", 1] }])
      expect(codesOf(lintKmsPolicy(template(root, later)))).toContain("BP-KMS-027");
    expect(codesOf(lintKmsPolicy(template({ x: "y" }, A)))).toContain("BP-KMS-004");
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
    const terraform = fc.constantFrom("actions", "effect", "principals", "condition", "sid", "resources");
    fc.assert(
      fc.property(terraform, fc.jsonValue(), (name, value) =>
        tolerant(JSON.stringify({ statement: [{ actions: ["kms:*"], [name]: value }] })),
      ),
    );
    fc.assert(
      fc.property(element, fc.jsonValue(), (name, value) =>
        tolerant(policy({ ...pinned, [name]: value }, admin)),
      ),
    );
  });
});
