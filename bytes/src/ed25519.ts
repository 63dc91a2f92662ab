/**
 * Ed25519 (RFC 8032), one implementation for Node and browsers: engines disagree on hundreds of edge cases, and two
 * verifiers that disagree on a log signature are a fork.
 * @module
 */
import { ed25519 } from "@noble/curves/ed25519.js";

/** Length in bytes of a seed (private key) and of a public key. */
export const ED25519_KEY_LENGTH = 32;
/** Length in bytes of a signature. */
export const ED25519_SIGNATURE_LENGTH = 64;

/** The 32-byte public key of a 32-byte seed. */
export const ed25519PublicKey = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);

/** The 64-byte signature of `message`; deterministic. */
export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Uint8Array => ed25519.sign(message, seed);

/** Whether `signature` is valid under the strict rules of RFC 8032 section 5.1.7 (canonical encodings only). */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== ED25519_KEY_LENGTH || signature.length !== ED25519_SIGNATURE_LENGTH) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false; // noble throws for keys that are not points
  }
}
