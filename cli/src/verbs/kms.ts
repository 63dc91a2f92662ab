/**
 * `bootproof kms`: judges policies of AWS KMS keys that are to let in enclaves.
 * @module
 */
import type { Command } from "commander";

import { collect, type Frame } from "../frame/frame.ts";

const LINT = `
POLICY is a key policy, a statement cut out of one, what aws kms get-key-policy prints, or in JSON: a Terraform plan
(terraform show -json) or configuration (*.tf.json), or a CloudFormation template (cdk synth --json). Nothing is asked
of AWS.

Exit status: 0 only pinned enclaves get at plaintext (who may change that is named), 1 others get in or nobody does,
2 could not decide. bootproof explain BP-KMS-043 says more about a finding.

Example:
  aws kms get-key-policy --key-id KEY > policy.json
  bootproof kms lint policy.json`;

const SIMULATE = `
Evaluates the policy as IAM does, with the registers of a document. What is not modelled (policy variables, NotPrincipal,
condition keys without a value, what IAM policies of the account allow) is "could not decide", never "allow".
The signature of a document is not checked here; KMS checks it.

Exit status: 0 allow, 1 deny, 2 could not decide.

Examples:
  bootproof kms simulate policy.json --document doc.bin --principal arn:aws:iam::111122223333:role/enclave-host
  bootproof kms simulate policy.json --pcrs measurements.json --operation GenerateDataKey --principal ARN
  bootproof kms simulate policy.json --debug-mode --principal ARN   (must be a deny)
  bootproof kms simulate policy.json --no-document --principal ARN  (must be a deny)`;

/** Defines `kms lint` and `kms simulate`. */
export function defineKms(parent: Command, frame: Frame): void {
  const group = parent
    .command("kms")
    .helpCommand(false)
    .description("look for traps in a KMS key policy, and evaluate it");
  frame
    .verb(
      group,
      "lint <policy>",
      "name each trap in a policy, where it stands and what to write instead",
      async (context, given) => (await import("../work/kms-lint.ts")).lint(context, given),
    )
    .addHelpText("after", LINT);
  frame
    .verb(
      group,
      "simulate <policy>",
      "say whether a policy lets a request through: allow, deny or could not decide",
      async (context, given) => (await import("../work/kms-simulate.ts")).simulate(context, given),
    )
    .option("--principal <arn>", "who asks: a role, a user or a session")
    .option("--operation <name>", "what is asked for (default: Decrypt)")
    .option("--document <file>", "the attestation document in the request, binary or base64")
    .option(
      "--pcrs <file>",
      "instead: registers as nitro-cli or bootproof measure print them in JSON, or PCR0=...",
    )
    .option("--debug-mode", "instead: an enclave in debug mode, whose registers are zero")
    .option("--no-document", "instead: a request without a document")
    .option("--key <arn>", "the key, for policies that name it")
    .option("--context <key=value>", "the value of another condition key (may be repeated)", collect)
    .addHelpText("after", SIMULATE);
}
