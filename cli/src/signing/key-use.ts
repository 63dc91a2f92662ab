/**
 * What a key is made or taken for, and the name that it gets when nobody has named it: one that comes from the key.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";

import { KEY_TYPE, makeVkey, type KeyType, type Vkey } from "@bootproof/bytes";
import { formatSigningKey, makeSigningKey, type SigningKey } from "@bootproof/bytes/signing";

import { reading } from "../errors/reading.ts";
import { writeKeyFile } from "./key-file.ts";

/** What a key is for. */
export interface KeyUse {
  /** Part of the name made from the key. */
  readonly role: "log" | "signer" | "witness";
  /** The name, when the user gave one. */
  readonly name?: string | undefined;
  readonly type?: KeyType | undefined;
}

/** A public key that brings no name of its own, such as one in an ssh-agent, as a key for this use. */
export function nameKey({ role, name, type = KEY_TYPE.ed25519 }: KeyUse, publicKey: Uint8Array): Vkey {
  const unique = createHash("sha256").update("bootproof key name\n").update(publicKey).digest("hex");
  return reading(`the ${role}'s name`, () =>
    makeVkey(name ?? `bootproof.local/${role}-${unique.slice(0, 8)}`, type, publicKey),
  );
}

/** A new key. */
export function makeKey(use: KeyUse): SigningKey {
  const seed = new Uint8Array(randomBytes(32));
  const { type } = use;
  const { name } = nameKey(use, makeSigningKey("x", seed, type).vkey.publicKey);
  return makeSigningKey(name, seed, type);
}

/** Makes a key and writes it to a new file. */
export async function newKey(file: string, use: KeyUse): Promise<SigningKey> {
  const key = makeKey(use);
  await writeKeyFile(file, formatSigningKey(key));
  return key;
}
