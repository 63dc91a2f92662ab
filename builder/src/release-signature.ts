/**
 * The one door to OpenPGP: a clear-signed Release (InRelease) held against the Debian archive's keys
 * (RFC 9580 section 7, the cleartext signature framework).
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import { readCleartextMessage, readKey, verify, type CleartextMessage, type Key } from "openpgp";
import { BuildError } from "./build-error.ts";

/** Text that at least one of the given keys has signed. */
export interface SignedText {
  readonly text: string;
  /** Upper-case hex fingerprints of the primary keys whose signatures hold, sorted. */
  readonly signedBy: readonly string[];
}

const MAX_SIGNED_SIZE = 8 * 2 ** 20;
const BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----\n";
const END = "-----END PGP SIGNATURE-----";
const KEY_FOLDER = new URL("../keys/", import.meta.url);

/** The armored public keys of the Debian archive that this package carries. */
export async function readArchiveKeys(): Promise<readonly string[]> {
  const names = (await readdir(KEY_FOLDER)).filter((name) => name.endsWith(".asc")).sort();
  return Promise.all(names.map((name) => readFile(new URL(name, KEY_FOLDER), "utf8")));
}

/**
 * Opens a clear-signed text; signatures must have been made before `at`, while their key was good. Throws
 * {@link BuildError} BP-RESOLVE-001 unless a signature by one of `armoredKeys` holds.
 */
export async function openClearSigned(
  signed: string,
  armoredKeys: readonly string[],
  at: Date,
  name: string,
): Promise<SignedText> {
  // Text outside the signed part would be shown to nobody and signed by nobody: refuse it.
  if (signed.length > MAX_SIGNED_SIZE || !signed.startsWith(BEGIN) || !signed.trimEnd().endsWith(END))
    throw new BuildError("BP-RESOLVE-001", `${name}: is not one clear-signed text`, { file: name });
  const keys = await Promise.all(armoredKeys.map((armoredKey) => readKey({ armoredKey })));
  const message = await readCleartextMessage({ cleartextMessage: signed }).catch((cause: unknown) => {
    throw new BuildError("BP-RESOLVE-001", `${name}: its signature cannot be read`, { file: name, cause });
  });
  const { signedBy, refusals } = await checkSignatures(message, keys, at);
  if (signedBy.length === 0)
    throw new BuildError("BP-RESOLVE-001", `${name}: no signature by a key of the archive holds`, {
      file: name,
      expected: keys.map((key) => key.getFingerprint().toUpperCase()).join(", "),
      found: refusals.join("; "),
      hint: "the mirror may have changed the file, or the suite is signed by a newer key than this version knows",
    });
  return { text: message.getText(), signedBy };
}

async function checkSignatures(
  message: CleartextMessage,
  keys: readonly Key[],
  at: Date,
): Promise<{ signedBy: readonly string[]; refusals: readonly string[] }> {
  const signedBy = new Set<string>();
  const refusals: string[] = [];
  const { signatures } = await verify({ message, verificationKeys: [...keys], date: at });
  for (const { keyID, verified } of signatures) {
    const held = await verified.catch((error: unknown) =>
      error instanceof Error ? error.message : "refused",
    );
    const key = keys.find((candidate) => candidate.getKeys(keyID).length > 0);
    if (held === true && key !== undefined) signedBy.add(key.getFingerprint().toUpperCase());
    else refusals.push(`key ${keyID.toHex()}: ${String(held)}`);
  }
  return { signedBy: [...signedBy].sort(), refusals };
}
