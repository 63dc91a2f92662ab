/**
 * Elliptic-curve keys from files, as openssl and key services write them: PEM or DER, private keys in PKCS #8 or SEC 1,
 * public keys in SPKI or inside a certificate.
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";

const MAX_KEY_FILE = 2 ** 16;
const CURVE = "secp384r1";
const MAKE = "openssl ecparam -name secp384r1 -genkey -noout -out FILE makes one";

/** Reads a private P-384 key: 48 bytes, big endian. */
export async function readPrivateKey(file: string): Promise<Uint8Array> {
  const bytes = Buffer.from(await readInput(file, MAX_KEY_FILE));
  const key = parse(file, "private", () =>
    isPem(bytes) ? createPrivateKey(bytes) : firstOf(privateForms(bytes), createPrivateKey),
  );
  const { d = "" } = key.export({ format: "jwk" });
  return new Uint8Array(Buffer.from(d, "base64url"));
}

/** Reads a public P-384 key, also from a private key or a certificate: x and y of 48 bytes each, big endian. */
export async function readPublicKey(file: string): Promise<Uint8Array> {
  const bytes = Buffer.from(await readInput(file, MAX_KEY_FILE));
  const key = parse(file, "public", () =>
    isPem(bytes)
      ? createPublicKey(bytes)
      : firstOf([{ key: bytes, format: "der", type: "spki" }] as const, createPublicKey),
  );
  const { x = "", y = "" } = key.export({ format: "jwk" });
  return new Uint8Array(Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]));
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes("-----BEGIN ");
}

const privateForms = (key: Buffer) =>
  [
    { key, format: "der", type: "pkcs8" },
    { key, format: "der", type: "sec1" },
  ] as const;

/** What the first form that fits gives; throws as the last one does. */
function firstOf<Form>(forms: readonly Form[], make: (form: Form) => KeyObject): KeyObject {
  let failure: unknown;
  for (const form of forms)
    try {
      return make(form);
    } catch (error) {
      failure = error;
    }
  throw failure;
}

// What OpenSSL says about a key that it cannot read helps nobody, and must not quote it.
function parse(file: string, kind: "private" | "public", make: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = make();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MISSING_PASSPHRASE")
      throw keyFailure(file, kind, "an encrypted key", `openssl pkey -in ${file} -out FILE decrypts it`);
    throw keyFailure(file, kind, "something else", MAKE);
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ec" && details?.namedCurve === CURVE) return key;
  throw keyFailure(file, kind, `a key of kind ${details?.namedCurve ?? type ?? "unknown"}`, MAKE);
}

function keyFailure(file: string, kind: string, found: string, hint: string): Failure {
  return new Failure("BP-ID-005", EXIT.malformed, `is no ${kind} key on the curve P-384`, {
    file,
    expected: `a ${kind} key on P-384 (secp384r1), PEM or DER`,
    found,
    hint,
  });
}
