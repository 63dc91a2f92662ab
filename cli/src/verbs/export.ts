/**
 * `bootproof export`: what a release means for others, in their own forms.
 * @module
 */
import { Option, type Command } from "commander";

import { collect, type Frame } from "../frame/frame.ts";

const KMS = `
RELEASE is what bootproof measure nitro --json or nitro-cli wrote, an EIF, or a bundle (.tlog-proof) with the release's
measurements. NAME=FILE names it in the policy. A bundle is not verified here: bootproof verify does that.
Each release gets a statement of its own, so that no kernel of one gets in with an application of another.

Examples:
  bootproof export kms app.eif --principal arn:aws:iam::111122223333:role/enclave-host --admin ADMIN-ARN
  bootproof export kms v2=new.json --previous v1=old.json --principal ARN --format terraform --out kms.tf
  bootproof export kms out/hello-enclave-1.tlog-proof --principal ARN --pcr 0,1,2,3 --format cdk`;

/** Defines `export kms`. */
export function defineExport(parent: Command, frame: Frame): void {
  const group = parent
    .command("export")
    .helpCommand(false)
    .description("write what others take: KMS policies");
  frame
    .verb(
      group,
      "kms <release>",
      "a KMS key policy that lets in the enclaves of a release",
      async (context, given) => (await import("../work/export-kms.ts")).exportKms(context, given),
    )
    .option("--principal <arn>", "the role of the parent instances")
    .option("--previous <release>", "a release that still runs, for a rollover (may be repeated)", collect)
    .option("--admin <arn>", "who administers the key and may change the policy")
    .option("--encrypter <arn>", "who may encrypt with the key, and nothing else")
    .option(
      "--pcr <list>",
      "registers to pin: 3 is computed from the principal, 8 is the signer (default: 0,1,2)",
    )
    .option(
      "--operation <name>",
      "an operation to allow (may be repeated; default: all that give plaintext)",
      collect,
    )
    .addOption(
      new Option("--format <format>", "the form to write (default: json)").choices([
        "json",
        "terraform",
        "terraform-json",
        "cdk",
      ]),
    )
    .addHelpText("after", KMS);
}
