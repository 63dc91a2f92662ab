/**
 * `bootproof key`: makes signing keys and shows their public half.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

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
      "show <file>",
      "print the public key (vkey) of a private or public key file",
      async (context, given) => (await import("../work/key.ts")).show(context, given),
    )
    .addHelpText("after", "\nExample: bootproof key show boot.key");
}
