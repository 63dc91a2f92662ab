/**
 * What both hash implementations look like, so that either can stand behind `digest.ts`.
 * @module
 */

/** The hash functions that boot measurement uses (FIPS 180-4). */
export type HashAlgorithm = "sha1" | "sha256" | "sha384" | "sha512";

/** A hash being fed piece by piece. */
export interface HashState {
  update(bytes: Uint8Array): void;
  /** Ends the hash. */
  digest(): Uint8Array;
  /** The same state once more: either goes on alone. */
  copy(): HashState;
}

/** Writes the digest of `bytes` at `offset` of the memory it was made for. */
export type HashInto = (bytes: Uint8Array, offset: number) => void;

/** One implementation of the four hash functions. */
export interface HashDoor {
  once(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array;
  /** A function that hashes into `target`, at an offset, and allocates nothing that stays. */
  into(algorithm: HashAlgorithm, target: Uint8Array): HashInto;
  start(algorithm: HashAlgorithm): HashState;
}
