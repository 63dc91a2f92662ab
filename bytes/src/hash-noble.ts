/**
 * Hashing in a browser: @noble/hashes, synchronous where WebCrypto is not.
 * @module
 */
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { HashDoor, HashState } from "./hash-door.ts";

const ALGORITHMS = { sha1, sha256, sha384, sha512 } as const;

/** @noble/hashes behind the common interface. */
export const door: HashDoor = {
  once: (algorithm, bytes) => ALGORITHMS[algorithm](bytes),
  into: (algorithm, target) => (bytes, offset) => {
    target.set(ALGORITHMS[algorithm](bytes), offset);
  },
  start: (algorithm) => stateOf(ALGORITHMS[algorithm].create()),
};

/** What a running hash of @noble/hashes has; its own type says no more of a clone than `any`. */
interface NobleState {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
  clone(): unknown;
}

const stateOf = (state: NobleState): HashState => ({
  update: (bytes) => {
    state.update(bytes);
  },
  digest: () => state.digest(),
  copy: () => stateOf(state.clone() as NobleState),
});
