/**
 * Signers from a seed, for logs and for witnesses; keys and their text forms are those of `bytes`.
 * @module
 */
import { KEY_TYPE } from "@bootproof/bytes";
import { makeSigningKey, signerOf, type Signer } from "@bootproof/bytes/signing";

/** A signer of notes (logs, publishers) from a 32-byte seed. */
export const ed25519Signer = (name: string, seed: Uint8Array): Signer =>
  signerOf(makeSigningKey(name, seed, KEY_TYPE.ed25519));

/** A signer of cosignatures (witnesses) from a 32-byte seed; a seed must not serve two names. */
export const cosignatureSigner = (name: string, seed: Uint8Array): Signer =>
  signerOf(makeSigningKey(name, seed, KEY_TYPE.cosignature));

/** A signer of ML-DSA-44 cosignatures (witnesses) from a 32-byte seed. */
export const mlDsa44Signer = (name: string, seed: Uint8Array): Signer =>
  signerOf(makeSigningKey(name, seed, KEY_TYPE.mlDsa44));
