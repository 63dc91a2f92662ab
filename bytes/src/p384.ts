/**
 * ECDSA with P-384 and SHA-384 (FIPS 186-5, SEC 1 version 2): how AMD's firmware signs and checks identities.
 *
 * Keys are x then y, signatures r then s, each 48 bytes, big endian. Signing is deterministic (RFC 6979), so that the
 * same inputs give the same bytes. Verification takes any s below the order, as the firmware does: there is no low-s
 * rule outside of ledgers.
 * @module
 */
import { p384 } from "@noble/curves/nist.js";
import { concatBytes } from "./compare.ts";

/** Length in bytes of a private key, of each coordinate, of r and of s. */
export const P384_LENGTH = 48;

const UNCOMPRESSED = Uint8Array.of(4);
const OPTIONS = { lowS: false, prehash: true, format: "compact" } as const;

/** The 96-byte public key (x, y) of a 48-byte private key; throws RangeError when that is 0 or not below the order. */
export function p384PublicKey(privateKey: Uint8Array): Uint8Array {
  checkPrivateKey(privateKey);
  return p384.getPublicKey(privateKey, false).slice(1);
}

/** The 96-byte signature (r, s) of `message`, hashed with SHA-384; deterministic. */
export function p384Sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  checkPrivateKey(privateKey);
  return p384.sign(message, privateKey, OPTIONS);
}

/** Whether 96 bytes are x and y of a point on the curve, both below the field's prime; never throws. */
export function isP384PublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 2 * P384_LENGTH) return false;
  try {
    p384.Point.fromBytes(concatBytes(UNCOMPRESSED, publicKey));
    return true;
  } catch {
    return false; // noble throws for coordinates out of range and off the curve
  }
}

/** Whether the signature is valid: r and s from 1 to below the order, the key on the curve; never throws. */
export function p384Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 2 * P384_LENGTH || !isP384PublicKey(publicKey)) return false;
  return p384.verify(signature, message, concatBytes(UNCOMPRESSED, publicKey), OPTIONS);
}

// Noble's own complaint would name the key's value.
function checkPrivateKey(privateKey: Uint8Array): void {
  if (!p384.utils.isValidSecretKey(privateKey))
    throw new RangeError("a P-384 private key is 48 bytes from 1 to below the order of the curve");
}
