/**
 * ML-DSA-44 (FIPS 204), one implementation for Node and browsers: signatures that stay good when quantum computers come.
 *
 * Signing is deterministic, with the empty context, so that the same inputs give the same bytes. A key's secret form is
 * its 32-byte seed.
 * @module
 */
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";

/** Length in bytes of a seed (private key). */
export const ML_DSA_44_SEED_LENGTH = 32;
/** Length in bytes of a public key. */
export const ML_DSA_44_KEY_LENGTH = 1312;
/** Length in bytes of a signature. */
export const ML_DSA_44_SIGNATURE_LENGTH = 2420;

/** The 1312-byte public key of a 32-byte seed. */
export const mlDsa44PublicKey = (seed: Uint8Array): Uint8Array => ml_dsa44.keygen(seed).publicKey;

/** The 2420-byte signature of `message`; deterministic. */
export const mlDsa44Sign = (seed: Uint8Array, message: Uint8Array): Uint8Array =>
  ml_dsa44.sign(message, ml_dsa44.keygen(seed).secretKey, { extraEntropy: false });

/** Whether `signature` is valid; never throws. */
export function mlDsa44Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ML_DSA_44_KEY_LENGTH || signature.length !== ML_DSA_44_SIGNATURE_LENGTH)
    return false;
  return ml_dsa44.verify(signature, message, publicKey);
}
