/**
 * Hashing on Node: the system's OpenSSL, about ten times as fast as JavaScript.
 * @module
 */
import { createHash, hash } from "node:crypto";
import type { HashDoor } from "./hash-door.ts";

/** node:crypto behind the common interface. */
export const door: HashDoor = {
  once: (algorithm, bytes) => new Uint8Array(hash(algorithm, bytes, "buffer")),
  start: (algorithm) => {
    const state = createHash(algorithm);
    return {
      update: (bytes) => {
        state.update(bytes);
      },
      digest: () => new Uint8Array(state.digest()),
    };
  },
};
