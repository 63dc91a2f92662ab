/**
 * ECDSA on the three NIST curves, each with its hash (FIPS 186-5, SEC 1 version 2; RFC 9053 for the pairs): P-384 is
 * how AMD's firmware signs and checks identities, all three sign enclave images.
 *
 * Keys are x then y, signatures r then s, each as long as the curve's order, big endian. Signing is deterministic
 * (RFC 6979), so that the same inputs give the same bytes. Verification takes any s below the order, as firmware and
 * OpenSSL do: there is no low-s rule outside of ledgers.
 * @module
 */
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { concatBytes } from "./compare.ts";

/** A curve and with it the hash: SHA-256, SHA-384, SHA-512. */
export type EcdsaCurve = "P-256" | "P-384" | "P-521";

/** Length in bytes of a private key, of each coordinate, of r and of s. */
export const ECDSA_LENGTH: Readonly<Record<EcdsaCurve, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 };

const CURVES = { "P-256": p256, "P-384": p384, "P-521": p521 } as const;
const UNCOMPRESSED = Uint8Array.of(4);
const OPTIONS = { lowS: false, prehash: true, format: "compact" } as const;

/** The public key (x, y) of a private key; throws RangeError when that is 0 or not below the order. */
export function ecdsaPublicKey(curve: EcdsaCurve, privateKey: Uint8Array): Uint8Array {
  checkPrivateKey(curve, privateKey);
  return CURVES[curve].getPublicKey(privateKey, false).slice(1);
}

/** The signature (r, s) of `message`, hashed with the curve's hash; deterministic. */
export function ecdsaSign(curve: EcdsaCurve, privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  checkPrivateKey(curve, privateKey);
  return CURVES[curve].sign(message, privateKey, OPTIONS);
}

/** Whether these are x and y of a point on the curve, both below the field's prime; never throws. */
export function isEcdsaPublicKey(curve: EcdsaCurve, publicKey: Uint8Array): boolean {
  if (publicKey.length !== 2 * ECDSA_LENGTH[curve]) return false;
  try {
    CURVES[curve].Point.fromBytes(concatBytes(UNCOMPRESSED, publicKey));
    return true;
  } catch {
    return false; // noble throws for coordinates out of range and off the curve
  }
}

/** Whether the signature is valid: r and s from 1 to below the order, the key on the curve; never throws. */
export function ecdsaVerify(
  curve: EcdsaCurve,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 2 * ECDSA_LENGTH[curve] || !isEcdsaPublicKey(curve, publicKey)) return false;
  return CURVES[curve].verify(signature, message, concatBytes(UNCOMPRESSED, publicKey), OPTIONS);
}

// Noble's own complaint would name the key's value.
function checkPrivateKey(curve: EcdsaCurve, privateKey: Uint8Array): void {
  if (!CURVES[curve].utils.isValidSecretKey(privateKey))
    throw new RangeError(
      `a ${curve} private key is ${ECDSA_LENGTH[curve]} bytes from 1 to below the order of the curve`,
    );
}
