/**
 * Makes signing keys and shows their public half.
 * @module
 */
import { randomBytes } from "node:crypto";

import { checkKeyName, formatVkey, KEY_TYPE, ParseError, parseVkey, type Vkey } from "@bootproof/bytes";
import { formatSigningKey, makeSigningKey } from "@bootproof/bytes/signing";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { badValue, usage, type Given } from "../frame/given.ts";
import { readAnyKey, writeKeyFile } from "../signing/key-file.ts";
import { openSpec } from "../signing/open-signer.ts";
import { parseSignerSpec } from "../signing/signer-spec.ts";

/** Makes a key, writes its private half to a file and prints its public half. */
export async function generate(context: Context, given: Given): Promise<ExitCode> {
  const name = given.argument(0);
  const file = context.options.out;
  if (file === undefined)
    throw usage("a private key is never printed", `bootproof key generate ${name} --out FILE`);
  checkName(name);
  const signing = makeSigningKey(name, new Uint8Array(randomBytes(32)));
  await writeKeyFile(file, formatSigningKey(signing));
  const vkey = formatVkey(signing.vkey);
  context.say(`${vkey}\n`, { schema: "bootproof/key/1", name, keyId: signing.vkey.keyId, vkey, file });
  return EXIT.yes;
}

/** Prints the public key in a private or public key file, or of a key that is elsewhere. */
export async function show(context: Context, given: Given): Promise<ExitCode> {
  const key = await publicKeyOf(context, given);
  const vkey = formatVkey(key);
  const document = { schema: "bootproof/key/1", name: key.name, keyId: key.keyId, type: key.type, vkey };
  await context.answer(`${vkey}\n`, document);
  return EXIT.yes;
}

async function publicKeyOf(context: Context, given: Given): Promise<Vkey> {
  const spec = parseSignerSpec(given.argument(0));
  const [name, cosigns] = [given.text("name"), given.flag("cosigns")];
  if (spec.kind !== "agent" && (name !== undefined || cosigns))
    throw usage("this key has a name and a use already", "--name and --cosigns are for keys of an ssh-agent");
  if (spec.kind === "file") return readAnyKey(spec.path);
  if (name !== undefined) checkName(name);
  const use = { role: "signer", name, type: cosigns ? KEY_TYPE.cosignature : KEY_TYPE.ed25519 } as const;
  const { vkey } = await openSpec(spec, { env: context.env, base: context.cwd }, use);
  return parseVkey(vkey);
}

function checkName(name: string): void {
  try {
    checkKeyName(name, "name");
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw badValue("the key's name", "1 to 255 bytes without space or plus, such as example.org/boot", name);
  }
}
