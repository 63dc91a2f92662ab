/**
 * Ed25519 (RFC 8032), one verifier for Node and browsers: engines disagree on hundreds of edge cases, and two
 * verifiers that disagree on a log signature are a fork. Signing has no edge cases: what is fastest stands behind the
 * package's `#ed25519` import; tests hold both equal.
 *
 * Where RFC 8032 section 5.1.7 leaves a choice, this takes the answer under which a signature accepted here is
 * accepted everywhere: canonical encodings of A and R only, neither of small order (a small-order key signs
 * messages it never saw), S below the group order, and the equation without the cofactor. On all 914 edge cases of
 * C2SP CCTV that is what OpenSSL answers too.
 * @module
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { makeSign } from "#ed25519";
import { concatBytes } from "./compare.ts";
import { sha512 } from "./digest.ts";

/** Length in bytes of a seed (private key) and of a public key. */
export const ED25519_KEY_LENGTH = 32;
/** Length in bytes of a signature. */
export const ED25519_SIGNATURE_LENGTH = 64;

const { Point } = ed25519;
const GROUP_ORDER = Point.Fn.ORDER;

/** The 32-byte public key of a 32-byte seed. */
export const ed25519PublicKey = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);

/** The 64-byte signature of `message`; deterministic. */
export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Uint8Array => makeSign(seed)(message);

/** As {@link ed25519Sign}, made ready once for many messages. */
export const makeEd25519Sign = (seed: Uint8Array): ((message: Uint8Array) => Uint8Array) => makeSign(seed);

/** Whether `signature` is valid under the strict rules named at the head of this module; never throws. */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ED25519_KEY_LENGTH || signature.length !== ED25519_SIGNATURE_LENGTH) return false;
  const encodedR = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= GROUP_ORDER) return false;
  try {
    const a = Point.fromBytes(publicKey, false);
    const r = Point.fromBytes(encodedR, false);
    if (a.isSmallOrder() || r.isSmallOrder()) return false;
    const k = littleEndian(sha512(concatBytes(encodedR, publicKey, message))) % GROUP_ORDER;
    return Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).equals(r);
  } catch {
    return false; // noble throws for encodings that are not points
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
