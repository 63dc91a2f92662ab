/**
 * Key policies through the linter: it throws for none that it reads, and never calls one good that any enclave in debug
 * mode satisfies.
 * @module
 */
import { KmsError, lintKmsPolicy, type KmsLint } from "@bootproof/statement/kms";
import type { Random } from "../random.ts";
import { attempt, Complaint, type Target } from "../target.ts";

const HEX = "0123456789abcdef".repeat(6);
const ZEROS = "0".repeat(96);

const GOOD = {
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "Enclave",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111122223333:role/R" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: "*",
      Condition: {
        StringEqualsIgnoreCase: {
          "kms:RecipientAttestation:PCR0": [HEX],
          "kms:RecipientAttestation:PCR1": `a${HEX.slice(1)}`,
          "kms:RecipientAttestation:PCR2": `b${HEX.slice(1)}`,
        },
      },
    },
  ],
};

/** What stands in policies, and what looks like it. */
const WORDS = [
  `"${ZEROS}"`, `"${HEX}"`, `"${HEX.toUpperCase()}"`, '"*"', '"kms:*"', '"kms:Encrypt"', '"Deny"', "null", "[]", "{}", "0", "true", '""',
  '"StringLike"', '"StringNotEquals"', '"ForAnyValue:StringEquals"', '"StringEqualsIfExists"', '"NotAction"', '"NotPrincipal"', '"NotResource"',
  '"kms:RecipientAttestation:ImageSha384"', '"kms:RecipientAttestation:PCR16"', '"kms:RecipientAttestation:NitroTPMPCR4"', '"__proto__"', '"Null"',
  ",", ":", "]", "}", "[[", "\ufeff", "\\u0000", "1e999",
]; // prettier-ignore

/** Policies with words replaced, left out and written twice. */
export const kms: Target = {
  name: "kms",
  about: "key policies through lintKmsPolicy",
  limit: 100,
  makeCase(random) {
    const text = random.oneIn(64) ? "[".repeat(100_000) : change(JSON.stringify(GOOD), random);
    return {
      bytes: new TextEncoder().encode(text),
      given: "lintKmsPolicy",
      run: () =>
        attempt(
          (error) => error instanceof KmsError,
          () => lintKmsPolicy(text),
        ),
      judge: (answer) => {
        if (answer === undefined) return "refused";
        const lint = answer as KmsLint;
        if (lint.answer === "yes" && zeros(text)) throw new Complaint("called a policy good that pins zeros");
        return lint.answer === "yes" ? "accepted" : "refused";
      },
    };
  },
};

/** A token replaced, left out or written twice, up to three times. */
function change(text: string, random: Random): string {
  const tokens = text.match(/"[^"]*"|[^"]/g) ?? [];
  for (let changes = random.below(4); changes > 0; changes--) {
    const at = random.below(tokens.length);
    tokens[at] = random.pick([random.pick(WORDS), random.pick(WORDS), "", (tokens[at] ?? "").repeat(2)]);
  }
  return tokens.join("");
}

/** Whether zeros are the value of PCR0, PCR1 or PCR2. */
const zeros = (text: string): boolean => new RegExp(`PCR[012]":\\[?"${ZEROS}"`).test(text);
