/**
 * `bootproof key`: makes signing keys and shows their public half.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const SHOW = `
KEY is a file, or where else a private key may be, which is never shown:
  env:NAME                 the text of a private key in a variable
  agent:SHA256:...         an Ed25519 key in the ssh-agent, as ssh-add -l prints it; or agent:VKEY
  command:FILE             a program that signs: {"schema": "bootproof/signer/1", "command": [...], "vkey": "..."}
Everything that signs takes the same words: --key of log init, release, rebuild and witness init.

Example: bootproof key show boot.key`;

/** Defines `key generate` and `key show`. */
export function defineKey(parent: Command, frame: Frame): void {
  const key = parent.command("key").helpCommand(false).description("make and show signing keys");
  frame
    .verb(
      key,
      "generate <name>",
      "make an Ed25519 key; the private half goes to --out, mode 0600",
      async (context, given) => (await import("../work/key.ts")).generate(context, given),
    )
    .addHelpText(
      "after",
      "\nThe public key (vkey) is printed. Example: bootproof key generate example.org/boot --out boot.key",
    );
  frame
    .verb(
      key,
      "show <key>",
      "print the public key (vkey) of a key file, or of a key that is elsewhere",
      async (context, given) => (await import("../work/key.ts")).show(context, given),
    )
    .option("--name <name>", "the name for a key of an ssh-agent (default: made from the key)")
    .option("--cosigns", "show a key of an ssh-agent as a witness's")
    .addHelpText("after", SHOW);
}
