/**
 * `bootproof id-block`: makes, shows and verifies the ID block and ID auth with which an SNP guest's owner signs it.
 * @module
 */
import { Option, type Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const MAKE = `
Keys are on the curve P-384, in PEM or DER: openssl ecparam -name secp384r1 -genkey -noout -out id.pem
With a key that never leaves its device:
  bootproof id-block make --launch-digest m.json --to-sign to-sign --id-public-key id.pub.pem
  openssl dgst -sha384 -sign id.pem -out id-block.sig to-sign/id-block.bin   (or the device)
  bootproof id-block make --id-block to-sign/id-block.bin --id-public-key id.pub.pem --id-signature id-block.sig

Example:
  bootproof measure snp --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-v4 --json --out m.json
  bootproof id-block make --launch-digest m.json --policy 0x30000 --id-key id.pem --author-key author.pem --out identity`;

const VERIFY = `
Judges what the firmware judges at launch, and whatever else is given. Without an expected launch digest and key the
answer is only that the firmware accepts the two for whatever guest they are of.

Example:
  bootproof id-block verify id-block.base64 id-auth.base64 --launch-digest m.json --policy 0x30000 --id-key id.pub.pem`;

const DIGEST = [
  "--launch-digest <digest>",
  "the launch digest: hex, base64, or a file with it or with the JSON of measure snp",
] as const;

/** Defines `id-block make`, `show`, `verify` and `key-digest`. */
export function defineIdBlock(parent: Command, frame: Frame): void {
  const group = parent
    .command("id-block")
    .helpCommand(false)
    .description("sign an SNP guest (ID block, ID auth), show and verify such signatures");
  defineMake(group, frame);
  frame
    .verb(
      group,
      "show <files...>",
      "decode ID blocks and ID auths: binary, base64, or in an IGVM file",
      async (context, given) => (await import("../work/id-block-show.ts")).show(context, given),
    )
    .addHelpText(
      "after",
      "\nVerifies nothing. Example: bootproof id-block show id-block.base64 id-auth.base64",
    );
  defineVerify(group, frame);
  frame
    .verb(
      group,
      "key-digest <file>",
      "the ID_KEY_DIGEST or AUTHOR_KEY_DIGEST that a report shows for a key",
      async (context, given) => (await import("../work/id-block-show.ts")).showKeyDigest(context, given),
    )
    .addHelpText(
      "after",
      "\nTakes private and public keys and certificates. Example: bootproof id-block key-digest id.pem",
    );
}

function defineMake(group: Command, frame: Frame): void {
  const make = frame
    .verb(
      group,
      "make",
      "make an ID block and its ID auth, with keys or with signatures made elsewhere",
      async (context, given) => (await import("../work/id-block-make.ts")).make(context, given),
    )
    .option(...DIGEST)
    .option("--policy <policy>", "the guest policy: a number, or names as in smt,debug (default: 0x30000)")
    .option("--family-id <id>", "32 hex digits, or up to 16 characters (default: zeros)")
    .option("--image-id <id>", "32 hex digits, or up to 16 characters (default: zeros)")
    .option("--guest-svn <n>", "the owner's security version number (default: 0)")
    .option("--id-block <file>", "an ID block made earlier, instead of its fields")
    .option("--id-key <file>", "the private ID key")
    .option("--author-key <file>", "the private author key, which signs the ID key (optional)")
    .option("--id-public-key <file>", "the public ID key, with --id-signature or --to-sign")
    .option("--id-signature <file>", "signature of the ID block made elsewhere: DER, or r and s")
    .option("--author-public-key <file>", "the public author key, with --author-signature")
    .option("--author-signature <file>", "signature of the ID key made elsewhere: DER, or r and s")
    .option("--to-sign <dir>", "write the bytes that have to be signed to this folder, and nothing else")
    .option("--id-file <file>", "write the ID block to this file, in base64")
    .option("--auth-file <file>", "write the ID auth to this file, in base64")
    .addHelpText("after", MAKE);
  hide(make, "--measurement <digest>", "--idkey <file>", "--authorkey <file>", "--svn <n>");
}

function defineVerify(group: Command, frame: Frame): void {
  const verify = frame
    .verb(
      group,
      "verify [files...]",
      "judge an ID block and its ID auth offline, a line a check",
      async (context, given) => (await import("../work/id-block-verify.ts")).verify(context, given),
    )
    .option("--id-block <file>", "the ID block, binary or base64")
    .option("--id-auth <file>", "the ID auth, binary or base64")
    .option(...DIGEST)
    .option("--policy <policy>", "the expected policy")
    .option("--family-id <id>", "the expected family ID")
    .option("--image-id <id>", "the expected image ID")
    .option("--guest-svn <n>", "the expected security version number")
    .option("--id-key <file>", "the expected ID key, public or private")
    .option("--author-key <file>", "the expected author key, public or private")
    .option("--id-key-digest <digest>", "the expected ID_KEY_DIGEST")
    .option("--author-key-digest <digest>", "the expected AUTHOR_KEY_DIGEST")
    .addHelpText("after", VERIFY);
  hide(verify, "--measurement <digest>", "--svn <n>");
}

/** Options under the names that other tools gave them. */
function hide(command: Command, ...flags: readonly string[]): void {
  for (const flag of flags) command.addOption(new Option(flag).hideHelp());
}
