/**
 * Elliptic-curve keys from files, as openssl and key services write them: PEM or DER, private keys in PKCS #8 or SEC 1,
 * public keys in SPKI or inside a certificate.
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";

/** No key file is larger. */
export const MAX_KEY_FILE: number = 2 ** 16;
const CURVE = "secp384r1";
const MAKE = "openssl ecparam -name secp384r1 -genkey -noout -out FILE makes one";

/** A private key on a curve, by OpenSSL's name of it. */
export interface EcPrivateKey {
  readonly curve: string;
  /** Big endian, as long as the curve's order. */
  readonly key: Uint8Array;
}

/** Reads a private P-384 key: 48 bytes, big endian. */
export async function readPrivateKey(file: string): Promise<Uint8Array> {
  const refuse = (found: string, hint = MAKE): Failure => keyFailure(file, "private", found, hint);
  const { curve, key } = parsePrivateKey(await readInput(file, MAX_KEY_FILE), refuse);
  if (curve !== CURVE) throw refuse(`a key of kind ${curve}`);
  return key;
}

/** Parses a private key on any curve; `refuse` says what was found instead, never with a word of the key. */
export function parsePrivateKey(bytes: Uint8Array, refuse: Refuse): EcPrivateKey {
  const buffer = Buffer.from(bytes);
  const key = parse(refuse, () =>
    isPem(buffer) ? createPrivateKey(buffer) : firstOf(privateForms(buffer), createPrivateKey),
  );
  const { d = "" } = key.export({ format: "jwk" });
  return { curve: curveOf(key, refuse), key: new Uint8Array(Buffer.from(d, "base64url")) };
}

/** Reads a public P-384 key, also from a private key or a certificate: x and y of 48 bytes each, big endian. */
export async function readPublicKey(file: string): Promise<Uint8Array> {
  const bytes = Buffer.from(await readInput(file, MAX_KEY_FILE));
  const refuse = (found: string, hint = MAKE): Failure => keyFailure(file, "public", found, hint);
  const key = parse(refuse, () =>
    isPem(bytes)
      ? createPublicKey(bytes)
      : firstOf([{ key: bytes, format: "der", type: "spki" }] as const, createPublicKey),
  );
  const curve = curveOf(key, refuse);
  if (curve !== CURVE) throw refuse(`a key of kind ${curve}`);
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

/** What Node says of a key that is encrypted when it has no passphrase; the second one is OpenSSL's, passed on. */
const NO_PASSPHRASE: readonly unknown[] = [
  "ERR_MISSING_PASSPHRASE",
  "ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED",
];

type Refuse = (found: string, hint?: string) => Failure;

// What OpenSSL says about a key that it cannot read helps nobody, and must not quote it.
function parse(refuse: Refuse, make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch (error) {
    if (error instanceof Error && "code" in error && NO_PASSPHRASE.includes(error.code))
      throw refuse("an encrypted key", "openssl pkey -in FILE -out FILE.plain decrypts it");
    throw refuse("something else");
  }
}

function curveOf(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  refuse: Refuse,
): string {
  const curve = type === "ec" ? details?.namedCurve : undefined;
  if (curve === undefined) throw refuse(`a key of kind ${type ?? "unknown"}`);
  return curve;
}

function keyFailure(file: string, kind: string, found: string, hint: string): Failure {
  return new Failure("BP-ID-005", EXIT.malformed, `is no ${kind} key on the curve P-384`, {
    file,
    expected: `a ${kind} key on P-384 (secp384r1), PEM or DER`,
    found,
    hint,
  });
}
