/**
 * Key files: one line of text, private ones readable by their owner only.
 * @module
 */
import { open } from "node:fs/promises";

import { parseVkey, type Vkey } from "@bootproof/bytes";
import { parseSigningKey, signerOf, type Signer, type SigningKey } from "@bootproof/bytes/signing";

import { reading } from "../errors/to-failure.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno, outputFailure, readInputText } from "../frame/files.ts";
import { makeFolder } from "../frame/folders.ts";

const MAX_KEY_FILE = 8192;

/** Writes a new private key file with mode 0600; refuses to overwrite one. */
export async function writeKeyFile(path: string, text: string): Promise<void> {
  await makeFolder(path);
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errno(error) === "EEXIST") {
      const hint = "name another file, or move the old one away first";
      throw new Failure("BP-FILE-014", EXIT.cannotWrite, "exists already and is not overwritten", {
        file: path,
        hint,
      });
    }
    throw outputFailure(path, error);
  }
}

/** Reads a private key file. */
export async function readKeyFile(path: string): Promise<SigningKey> {
  const line = await readLine(path);
  return reading(path, () => parseSigningKey(line));
}

/** Reads a private key file as a signer. */
export async function readSigner(path: string): Promise<Signer> {
  return signerOf(await readKeyFile(path));
}

/** The public key in a private or public key file. */
export async function readAnyKey(path: string): Promise<Vkey> {
  const line = await readLine(path);
  return reading(path, () =>
    line.startsWith("PRIVATE+KEY+") ? parseSigningKey(line).vkey : parseVkey(line),
  );
}

// What is said about a key that cannot be read, and what to do about it, by why.
const UNREADABLE: Readonly<Record<string, readonly [string, string]>> = {
  "BP-FILE-001": [
    "no such key file",
    "bootproof key generate NAME --out FILE makes a key; without --key your own is used",
  ],
  "BP-FILE-002": [
    "the key cannot be read: permission denied",
    "keys are for their owner only: run this as the key's owner, or name another with --key FILE",
  ],
  "BP-FILE-003": [
    "is a folder, not a key file",
    "name the key's file; bootproof key generate NAME --out FILE makes one",
  ],
};

async function readLine(path: string): Promise<string> {
  try {
    return (await readInputText(path, MAX_KEY_FILE)).trim();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const [message, hint] = UNREADABLE[error.code] ?? [error.message, error.detail.hint];
    throw new Failure(error.code, error.exit, message, { ...error.detail, hint });
  }
}
