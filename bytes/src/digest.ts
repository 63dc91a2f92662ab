/**
 * Digests with their algorithm in the type, so that a SHA-256 never passes for a launch digest.
 * node:crypto and @noble/hashes stand behind the package's `#hash` import; tests hold them equal.
 * @module
 */
import { door } from "#hash";
import type { HashAlgorithm, HashInto, HashState } from "./hash-door.ts";
import { formatHex, parseHex } from "./hex.ts";
import { ParseError } from "./parse-error.ts";
import { parseBase64 } from "./base64.ts";

declare const algorithm: unique symbol;

/** Raw bytes of a digest made by `A`. */
export type Digest<A extends HashAlgorithm> = Uint8Array & { readonly [algorithm]: A };
/** 20 bytes. */
export type Sha1 = Digest<"sha1">;
/** 32 bytes. */
export type Sha256 = Digest<"sha256">;
/** 48 bytes. */
export type Sha384 = Digest<"sha384">;
/** 64 bytes. */
export type Sha512 = Digest<"sha512">;

/** Length in bytes of each algorithm's digest. */
export const DIGEST_LENGTH: Readonly<Record<HashAlgorithm, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

/** Hashes `bytes` with SHA-1 (TPM banks only). */
export const sha1 = (bytes: Uint8Array): Sha1 => door.once("sha1", bytes) as Sha1;
/** Hashes `bytes` with SHA-256. */
export const sha256 = (bytes: Uint8Array): Sha256 => door.once("sha256", bytes) as Sha256;

/** Where {@link sha256Joined} puts its parts; new memory for each of millions costs more than the hash. */
let joined = new Uint8Array(4096);

/** Hashes byte strings one after the other with SHA-256. */
export function sha256Joined(...parts: readonly Uint8Array[]): Sha256 {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (joined.length < length) joined = new Uint8Array(2 * length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return sha256(joined.subarray(0, length));
}

/** Hashes `bytes` with SHA-384. */
export const sha384 = (bytes: Uint8Array): Sha384 => door.once("sha384", bytes) as Sha384;
/** Hashes `bytes` with SHA-512. */
export const sha512 = (bytes: Uint8Array): Sha512 => door.once("sha512", bytes) as Sha512;
/** Hashes `bytes` with the named algorithm. */
export const digestOf = <A extends HashAlgorithm>(name: A, bytes: Uint8Array): Digest<A> =>
  door.once(name, bytes) as Digest<A>;

/** A function that hashes into `target` at an offset: for thousands of digests side by side. */
export const hashInto = (name: HashAlgorithm, target: Uint8Array): HashInto => door.into(name, target);

/** Starts a hash that is fed piece by piece. */
export const startHash = (name: HashAlgorithm): HashState => door.start(name);

/** Brands `bytes` as a digest of the named algorithm; throws {@link ParseError} when the length is another. */
export function asDigest<A extends HashAlgorithm>(
  name: A,
  bytes: Uint8Array,
  field = `${name} digest`,
): Digest<A> {
  if (bytes.length !== DIGEST_LENGTH[name])
    throw new ParseError("OUT_OF_RANGE", field, {
      expected: `${DIGEST_LENGTH[name]} bytes`,
      found: `${bytes.length}`,
    });
  return bytes as Digest<A>;
}

/**
 * Reads a digest as people paste it: hex in any case, with `0x` or `<algorithm>:` before it, or base64.
 * Throws {@link ParseError} when it is neither or has another algorithm's length.
 */
export function parseDigest<A extends HashAlgorithm>(
  name: A,
  text: string,
  field = `${name} digest`,
): Digest<A> {
  const bare = text.trim().replace(new RegExp(`^(?:0x|${name}[:-])`, "i"), "");
  const bytes = /^[0-9a-f]*$/i.test(bare) ? parseHex(bare, field) : parseBase64(bare, field);
  return asDigest(name, bytes, field);
}

/** Lower-case hex of a digest. */
export const formatDigest = (digest: Uint8Array): string => formatHex(digest);
