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
  start: (algorithm) => stateOf(ALGORITHMS[algorithm].create()),
};

type NobleState = ReturnType<(typeof ALGORITHMS)[keyof typeof ALGORITHMS]["create"]>;

const stateOf = (state: NobleState): HashState => ({
  update: (bytes) => {
    state.update(bytes);
  },
  digest: () => state.digest(),
  copy: () => stateOf(state.clone()),
});
