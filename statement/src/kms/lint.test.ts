import { describe, expect, it } from "vitest";
import { formatBase64, formatHex, parseHex, sha384, utf8 } from "@bootproof/bytes";
import { lintKmsPolicy } from "./index.ts";
import {
  A,
  admin,
  allow,
  B,
  C,
  enclave,
  IMAGE,
  type Json,
  key,
  lint,
  PCR3,
  pinned,
  policy,
  ROLE,
} from "./policies.testing.ts";

describe("a policy that pins a whole image", () => {
  it("is good, and who may change it is named", () => {
    const { answer, policies } = lintKmsPolicy(policy(pinned, admin));
    expect(answer).toBe("yes");
    expect(policies[0]?.findings).toMatchObject([
      { code: "BP-KMS-055", statement: 1, message: expect.stringContaining("role/Admin") as string },
    ]);
  });

  it("is good with both releases of a rollover, a statement each", () => {
    const other = enclave({ StringEqualsIgnoreCase: { ...IMAGE, [key("PCR0")]: "d4".repeat(48) } });
    expect(lint(pinned, other, admin)).toEqual(["BP-KMS-055"]);
  });
});

describe("each trap in a condition is named", () => {
  const one = (operator: string, name: string, value: unknown): Json =>
    enclave({
      StringEqualsIgnoreCase: { [key("PCR1")]: B, [key("PCR2")]: C },
      [operator]: { [name]: value },
    });
  const equals = (name: string, value: unknown): Json => one("StringEquals", name, value);
  it.each<[string, string, Json]>([
    ["SHA-256 for SHA-384", "BP-KMS-010", equals(key("ImageSha256"), A)],
    ["a register with a leading zero", "BP-KMS-010", equals(key("PCR00"), A)],
    ["the prefix of another service", "BP-KMS-010", equals("aws:RecipientAttestation:PCR0", A)],
    ["no register", "BP-KMS-010", one("Null", "kms:RecipientAttestation", "false")],
    ["a register that does not exist", "BP-KMS-010", equals(key("PCR32"), A)],
    ["a bare register", "BP-KMS-010", equals("PCR0", A)],
    ["a hyphen", "BP-KMS-010", equals("kms:Recipient-Attestation:PCR0", A)],
    ["letters in another case, which work", "BP-KMS-011", equals("KMS:recipientattestation:pcr0", A)],
    ["an instance's register", "BP-KMS-012", equals(key("NitroTPMPCR4"), A)],
    ["a register that is zero in every enclave", "BP-KMS-013", equals(key("PCR5"), A)],
    ["a register that the enclave extends", "BP-KMS-013", equals(key("PCR16"), A)],
    ["the instance", "BP-KMS-014", equals(key("PCR4"), A)],
    ["another role", "BP-KMS-015", equals(key("PCR3"), A)],
    ["debug mode", "BP-KMS-020", equals(key("PCR0"), "0".repeat(96))],
    ["debug mode under a wrong name", "BP-KMS-020", equals(key("PCR00"), "0".repeat(96))],
    ["a SHA-256", "BP-KMS-021", equals(key("PCR0"), "a1".repeat(32))],
    ["a digit less", "BP-KMS-021", equals(key("PCR0"), A.slice(1))],
    ["base64", "BP-KMS-022", equals(key("PCR0"), formatBase64(parseHex(A, "x")))],
    ["0x", "BP-KMS-023", equals(key("PCR0"), `0x${A}`)],
    ["an algorithm's name", "BP-KMS-023", equals(key("PCR0"), `sha384:${A}`)],
    ["a space", "BP-KMS-023", equals(key("PCR0"), `${A} `)],
    ["upper case where case matters", "BP-KMS-024", equals(key("PCR0"), A.toUpperCase())],
    ["a placeholder", "BP-KMS-025", equals(key("PCR0"), "<PCR0>")],
    ["nothing", "BP-KMS-025", equals(key("PCR0"), "")],
    ["a variable", "BP-KMS-027", equals(key("PCR0"), "${pcr0}")],
    ["one value for two registers", "BP-KMS-029", equals(key("PCR0"), C)],
    ["a pattern", "BP-KMS-030", one("StringLike", key("PCR0"), "a1*")],
    ["a question mark", "BP-KMS-030", one("StringLike", key("PCR0"), `${A.slice(1)}?`)],
    ["IfExists", "BP-KMS-031", one("StringEqualsIfExists", key("PCR0"), A)],
    ["ForAllValues", "BP-KMS-032", one("ForAllValues:StringEquals", key("PCR0"), A)],
    ["a negation", "BP-KMS-033", one("StringNotEquals", key("PCR0"), A)],
    ["Null", "BP-KMS-034", one("Null", key("PCR0"), "false")],
    ["an operator for ARNs", "BP-KMS-035", one("ArnEquals", key("PCR0"), A)],
    ["an operator that is none", "BP-KMS-035", one("stringequals", key("PCR0"), A)],
    ["a star that is only a star", "BP-KMS-036", equals(key("PCR0"), "a1*")],
    ["ForAnyValue, which does nothing", "BP-KMS-037", one("ForAnyValue:StringEquals", key("PCR0"), A)],
    ["no list of values", "BP-KMS-004", equals(key("PCR0"), [])],
    ["a number in a list of values", "BP-KMS-004", equals(key("PCR0"), [{}])],
  ])("%s: %s", (_what, code, statement) => {
    expect(lint(statement, admin)).toContain(code);
  });

  it("upper case under an operator without case is fine", () => {
    const upper = Object.fromEntries(
      Object.entries(IMAGE).map(([name, value]) => [name, value.toUpperCase()]),
    );
    expect(lint(enclave({ StringEqualsIgnoreCase: upper }), admin)).toEqual(["BP-KMS-055"]);
    // Both spellings of one value are one value, not a list.
    const both = Object.fromEntries(
      Object.entries(IMAGE).map(([name, value]) => [name, [value, value.toUpperCase()]]),
    );
    expect(lint(enclave({ StringEqualsIgnoreCase: both }), admin)).toEqual(["BP-KMS-055"]);
  });

  it("ImageSha384 is PCR0: the same value is fine, another one lets nobody in", () => {
    const image = (value: string): Json =>
      enclave({ StringEquals: { ...IMAGE, [key("ImageSha384")]: value } });
    expect(lint(image(A), admin)).toEqual(["BP-KMS-055"]);
    expect(lint(image(B), admin)).toContain("BP-KMS-017");
  });

  it("PCR3 of the statement's own role is fine, in the session's way too", () => {
    expect(lint(enclave({ StringEquals: { ...IMAGE, [key("PCR3")]: PCR3 } }), admin)).toEqual(["BP-KMS-055"]);
  });

  it("says how to write what is only spelt wrongly", () => {
    const { policies } = lintKmsPolicy(
      policy(enclave({ StringEquals: { ...IMAGE, [key("pcr_00")]: `0x${B}` } })),
    );
    const fixes = policies.flatMap(({ findings }) => findings.map(({ fix }) => fix));
    expect(fixes).toContain("write kms:RecipientAttestation:PCR0");
    const spaced = lintKmsPolicy(policy(enclave({ StringEquals: { ...IMAGE, [key("PCR0")]: `0x${A}` } })));
    expect(spaced.policies[0]?.findings[0]?.fix).toBe(`write ${A}`);
  });
});

describe("PCR3 that was computed in a wrong way", () => {
  it("is told from that of another role: nobody would get in, and nobody would know why", () => {
    const bare = formatHex(sha384(utf8(ROLE)));
    expect(lint(enclave({ StringEquals: { ...IMAGE, [key("PCR3")]: bare } }), admin)).toContain("BP-KMS-016");
  });
});

describe("what a statement pins", () => {
  const only = (...names: readonly string[]): Json =>
    enclave({
      StringEquals: Object.fromEntries(
        names.map((name, at) => [key(name), ["a1", "b2", "c3"][at]!.repeat(48)]),
      ),
    });
  it.each<[string, string, Json]>([
    ["PCR0 alone", "BP-KMS-040", only("PCR0")],
    ["PCR0 and PCR8", "BP-KMS-040", only("PCR0", "PCR8")],
    ["PCR2 alone", "BP-KMS-040", only("PCR2")],
    ["PCR8 alone", "BP-KMS-041", only("PCR8")],
    ["PCR8 and the bootstrap", "BP-KMS-041", only("PCR8", "PCR1")],
    ["the bootstrap alone", "BP-KMS-042", only("PCR1")],
    ["the role alone", "BP-KMS-042", only("PCR3")],
    ["any document", "BP-KMS-042", enclave({ Null: { [key("PCR0")]: "false" } })],
    ["no document", "BP-KMS-053", enclave({ Null: { [key("PCR0")]: "true" } })],
    [
      "two lists",
      "BP-KMS-043",
      enclave({
        StringEquals: {
          [key("PCR0")]: [A, "d4".repeat(48)],
          [key("PCR1")]: [B, "e5".repeat(48)],
          [key("PCR2")]: C,
        },
      }),
    ],
  ])("%s: %s", (_what, code, statement) => {
    expect(lint(statement, admin)).toContain(code);
  });

  it("one list, or lists of roles, are no mixture of releases", () => {
    const list = enclave({
      StringEquals: { ...IMAGE, [key("PCR0")]: [A, "d4".repeat(48)], [key("PCR3")]: [PCR3, B] },
    });
    expect(lint(list, admin)).not.toContain("BP-KMS-043");
  });
});

describe("who else gets in", () => {
  it("everybody of one organization is not called everybody of all", () => {
    const organization = enclave(
      { StringEquals: { ...IMAGE, "aws:PrincipalOrgID": "o-1" } },
      { Principal: "*" },
    );
    const [finding] = lintKmsPolicy(policy(organization, admin)).policies[0]?.findings ?? [];
    expect(finding).toMatchObject({
      code: "BP-KMS-058",
      message: expect.stringContaining(
        "that its other conditions (aws:PrincipalOrgID) let through",
      ) as string,
    });
  });

  it("a condition that asks only which registers are there lets in any enclave", () => {
    const presence = enclave({ Null: { [key("PCR0")]: "false", [key("PCR16")]: "true" } });
    expect(lint(presence, admin)).toContain("BP-KMS-042");
  });

  it("users, sessions, accounts and federated users are principals", () => {
    const named = [
      "iam::123456789012:user/a/b",
      "sts::123456789012:assumed-role/R/i-0",
      "sts::123456789012:federated-user/f",
    ];
    for (const AWS of [...named.map((name) => `arn:aws-us-gov:${name}`), "123456789012"])
      expect(lint(pinned, allow({ Action: "kms:Sign", Principal: { AWS } }))).not.toContain("BP-KMS-067");
  });

  const deny = (operator: string, values: Json, rest: Json = {}): Json => ({
    Effect: "Deny",
    Principal: "*",
    Action: [
      "kms:Decrypt",
      "kms:DeriveSharedSecret",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyPair",
      "kms:ReEncryptFrom",
    ],
    Resource: "*",
    Condition: { [operator]: values },
    ...rest,
  });
  it.each<[string, string, Json]>([
    ["the same role without a document", "BP-KMS-053", allow({ Action: "kms:Decrypt" })],
    ["a pattern", "BP-KMS-053", allow({ Action: "kms:De*" })],
    ["new data keys", "BP-KMS-052", allow({ Action: "kms:GenerateDataKey*" })],
    ["letters in another case", "BP-KMS-053", allow({ Action: "KMS:decrypt" })],
    ["a service", "BP-KMS-053", allow({ Action: "kms:Decrypt", Principal: { Service: "s3.amazonaws.com" } })],
    [
      "a condition about something else",
      "BP-KMS-053",
      allow({
        Action: "kms:Decrypt",
        Condition: { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } },
      }),
    ],
    ["re-encryption", "BP-KMS-054", allow({ Action: "kms:ReEncrypt*" })],
    ["grants", "BP-KMS-055", allow({ Action: "kms:CreateGrant" })],
    ["replicas", "BP-KMS-055", allow({ Action: "kms:ReplicateKey" })],
    [
      "the account",
      "BP-KMS-056",
      allow({ Action: "kms:*", Principal: { AWS: "arn:aws:iam::123456789012:root" } }),
    ],
    ["the account by its number", "BP-KMS-056", allow({ Action: "*", Principal: { AWS: ["123456789012"] } })],
    ["everybody", "BP-KMS-058", allow({ Action: "kms:DescribeKey", Principal: { AWS: "*" } })],
    [
      "a placeholder for a role",
      "BP-KMS-067",
      allow({ Action: "kms:Sign", Principal: { AWS: "<ROLE ARN>" } }),
    ],
    [
      "a pattern of roles",
      "BP-KMS-067",
      allow({ Action: "kms:Sign", Principal: { AWS: "arn:aws:iam::123456789012:role/*" } }),
    ],
    [
      "a role that is gone",
      "BP-KMS-067",
      allow({ Action: "kms:Sign", Principal: { AWS: "AROA1234567890EXAMPLE" } }),
    ],
    [
      "a service, which is no enclave",
      "BP-KMS-067",
      enclave({ StringEquals: IMAGE }, { Principal: { Service: "kms.amazonaws.com" } }),
    ],
    ["everything but Decrypt", "BP-KMS-059", allow({ NotAction: "kms:Decrypt", Action: undefined })],
    [
      "everybody but one",
      "BP-KMS-059",
      allow({ Action: "kms:DescribeKey", Principal: undefined, NotPrincipal: { AWS: ROLE } }),
    ],
    [
      "an operation without a document beside Decrypt",
      "BP-KMS-050",
      enclave({ StringEquals: IMAGE }, { Action: ["kms:Decrypt", "kms:Encrypt"] }),
    ],
    [
      "only operations without a document",
      "BP-KMS-051",
      enclave({ StringEquals: IMAGE }, { Action: ["kms:Sign"] }),
    ],
    [
      "an operation that uses no key",
      "BP-KMS-065",
      enclave({ StringEquals: IMAGE }, { Action: ["kms:Decrypt", "kms:GenerateRandom"] }),
    ],
    ["a Deny of several registers", "BP-KMS-060", deny("StringNotEqualsIgnoreCase", IMAGE)],
    ["a Deny that wants a value", "BP-KMS-061", deny("ForAnyValue:StringNotEquals", { [key("PCR0")]: A })],
    [
      "a Deny of everything",
      "BP-KMS-062",
      deny("StringNotEquals", { [key("PCR0")]: A }, { Action: "kms:*" }),
    ],
  ])("%s: %s", (_what, code, statement) => {
    expect(lint(pinned, admin, statement)).toContain(code);
  });

  it("new data keys for writers are no way in", () => {
    const writer = allow({ Action: ["kms:Encrypt", "kms:GenerateDataKey"] });
    expect(lintKmsPolicy(policy(pinned, admin, writer)).answer).toBe("yes");
  });

  it("an account that gets in with the document only is the enclave and nobody else", () => {
    const account = { ...pinned, Principal: { AWS: "arn:aws:iam::123456789012:root" } };
    expect(lint(account, admin)).toEqual(["BP-KMS-055"]);
  });

  it("an open statement is no way in where a Deny stops it", () => {
    const open = allow({ Action: ["kms:Decrypt", "kms:ReEncrypt*"] });
    const denies = Object.entries(IMAGE).map(([name, value]) =>
      deny("StringNotEqualsIgnoreCase", { [name]: value }),
    );
    expect(lintKmsPolicy(policy(open, admin, ...denies)).answer).toBe("yes");
    for (const leak of [
      { ...denies[0], Principal: { AWS: "arn:aws:iam::123456789012:role/Other" } },
      { ...denies[0], Action: "kms:GenerateDataKey" },
      deny(
        "StringNotEqualsIfExists",
        { [key("PCR0")]: A },
        { Resource: "arn:aws:kms:eu-west-1:123456789012:key/x" },
      ),
      deny("StringEquals", { [key("PCR0")]: "0".repeat(96) }),
    ])
      expect(lint(open, admin, leak)).toContain("BP-KMS-053");
  });

  it("a grant is no way in where a Deny for everybody stops what it grants", () => {
    const granter = allow({ Action: "kms:CreateGrant" });
    const denies = Object.entries(IMAGE).map(([name, value]) =>
      deny("StringNotEqualsIgnoreCase", { [name]: value }),
    );
    const said = (...statements: readonly Json[]): string =>
      JSON.stringify(lintKmsPolicy(policy(pinned, admin, granter, ...statements)).policies);
    expect(said()).toContain("may grant Decrypt");
    expect(said(...denies)).not.toContain("may grant Decrypt");
  });

  it("a policy that nobody may change is told so, and a cut-out statement is not", () => {
    expect(lint(pinned, allow({ Action: "kms:Encrypt" }))).toContain("BP-KMS-057");
    expect(lint(pinned)).toEqual([]);
  });

  it("a policy without any condition, and one of a role, are told so", () => {
    expect(lint(admin)).toContain("BP-KMS-063");
    const identity = { ...pinned, Principal: undefined };
    expect(lintKmsPolicy(policy(identity))).toMatchObject({ answer: "could not decide" });
    expect(lint(identity)).toEqual(["BP-KMS-066"]);
  });
});
