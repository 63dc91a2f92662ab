/**
 * Policies to change in one place each.
 * @module
 */
import { lintKmsPolicy, type KmsLint } from "./index.ts";

export const A: string = "a1".repeat(48);
export const B: string = "b2".repeat(48);
export const C: string = "c3".repeat(48);
export const ROLE = "arn:aws:iam::123456789012:role/Webserver";
/** AWS's documentation of PCR3 has this pair. */
export const PCR3 =
  "78fce75db17cd4e0a3fb8dad3ad128ca5e77edbb2b2c7f75329dccd99aa5f6ef4fc1f1a452e315b9e98f9e312e6921e6";
export const key = (name: string): string => `kms:RecipientAttestation:${name}`;
export const IMAGE: Readonly<Record<string, string>> = {
  [key("PCR0")]: A,
  [key("PCR1")]: B,
  [key("PCR2")]: C,
};

export type Json = Readonly<Record<string, unknown>>;
export const enclave = (condition: Json, rest: Json = {}): Json => ({
  Sid: "Enclave",
  Effect: "Allow",
  Principal: { AWS: ROLE },
  Action: "kms:Decrypt",
  Resource: "*",
  Condition: condition,
  ...rest,
});
export const pinned: Json = enclave({ StringEqualsIgnoreCase: IMAGE });
export const admin: Json = {
  Sid: "Admin",
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::123456789012:role/Admin" },
  Action: ["kms:PutKeyPolicy", "kms:DescribeKey"],
  Resource: "*",
};
export const allow = (rest: Json): Json => ({
  Effect: "Allow",
  Principal: { AWS: ROLE },
  Resource: "*",
  ...rest,
});
export const policy = (...statements: readonly Json[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
export const codesOf = ({ policies }: KmsLint): string[] => [
  ...new Set(policies.flatMap(({ findings }) => findings.map(({ code }) => code))),
];
export const lint = (...statements: readonly Json[]): string[] =>
  codesOf(lintKmsPolicy(policy(...statements)));
