/**
 * `bootproof key`: makes signing keys and shows their public half.
 * @module
 */
import { randomBytes } from "node:crypto";

import type { Command } from "commander";

import { EXIT } from "../frame/exit-code.ts";
import type { Frame } from "../frame/frame.ts";
import { badValue, usage } from "../frame/given.ts";

/** Defines `key generate` and `key show`. */
export function defineKey(parent: Command, frame: Frame): void {
  const key = parent.command("key").helpCommand(false).description("make and show signing keys");
  frame
    .verb(
      key,
      "generate <name>",
      "make an Ed25519 key; the private half goes to --out, mode 0600",
      async (context, given) => {
        const { checkKeyName, formatSigningKey, formatVkey, makeSigningKey } =
          await import("@bootproof/bytes");
        const { writeKeyFile } = await import("../signing/key-file.ts");
        const name = given.argument(0);
        const file = context.options.out;
        if (file === undefined)
          throw usage("a private key is never printed", `bootproof key generate ${name} --out FILE`);
        checkName(checkKeyName, name);
        const signing = makeSigningKey(name, new Uint8Array(randomBytes(32)));
        await writeKeyFile(file, formatSigningKey(signing));
        const vkey = formatVkey(signing.vkey);
        context.say(`${vkey}\n`, { schema: "bootproof/key/1", name, keyId: signing.vkey.keyId, vkey, file });
        return EXIT.yes;
      },
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
      async (context, given) => {
        const { formatVkey } = await import("@bootproof/bytes");
        const { readAnyKey } = await import("../signing/key-file.ts");
        const key = await readAnyKey(given.argument(0));
        const vkey = formatVkey(key);
        const document = {
          schema: "bootproof/key/1",
          name: key.name,
          keyId: key.keyId,
          type: key.type,
          vkey,
        };
        await context.answer(`${vkey}\n`, document);
        return EXIT.yes;
      },
    )
    .addHelpText("after", "\nExample: bootproof key show boot.key");
}

function checkName(check: (name: string, field: string) => void, name: string): void {
  try {
    check(name, "name");
  } catch {
    throw badValue("the key's name", "1 to 255 bytes without space or plus, such as example.org/boot", name);
  }
}
