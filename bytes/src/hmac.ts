/**
 * HMAC with SHA-256 (RFC 2104, FIPS 198-1), over whichever hash stands behind the `#hash` import.
 * @module
 */
import { concatBytes } from "./compare.ts";
import { sha256 } from "./digest.ts";

const BLOCK = 64;

/** The 32-byte MAC of `message` under `key`. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(key.length > BLOCK ? sha256(key) : key);
  const inner = sha256(concatBytes(masked(block, 0x36), message));
  return sha256(concatBytes(masked(block, 0x5c), inner));
}

function masked(block: Uint8Array, mask: number): Uint8Array {
  return block.map((byte) => byte ^ mask);
}
