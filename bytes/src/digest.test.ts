import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { door as node } from "./hash-node.ts";
import { door as noble } from "./hash-noble.ts";
import { formatHex } from "./hex.ts";
import type { HashAlgorithm } from "./hash-door.ts";
import { parseDigest, sha256 } from "./digest.ts";

describe("hashing: a browser and Node must never disagree on a digest", () => {
  it("node:crypto and @noble/hashes agree on any bytes, whole and in pieces", () => {
    const algorithms = fc.constantFrom<HashAlgorithm[]>("sha1", "sha256", "sha384", "sha512");
    fc.assert(
      fc.property(algorithms, fc.uint8Array({ maxLength: 500 }), fc.nat(500), (algorithm, bytes, cut) => {
        const whole = formatHex(node.once(algorithm, bytes));
        expect(formatHex(noble.once(algorithm, bytes))).toBe(whole);
        for (const door of [node, noble]) {
          const state = door.start(algorithm);
          state.update(bytes.subarray(0, cut));
          state.update(bytes.subarray(cut));
          expect(formatHex(state.digest())).toBe(whole);
        }
      }),
    );
  });

  it("reads a digest in every form that people paste", () => {
    const hex = formatHex(sha256(new Uint8Array()));
    const forms = [
      hex,
      hex.toUpperCase(),
      `0x${hex}`,
      `sha256:${hex}`,
      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ];
    for (const form of forms) expect(formatHex(parseDigest("sha256", form))).toBe(hex);
    for (const bad of ["", hex.slice(1), `${hex}00`, "zz", `sha384:${hex}`])
      expect(() => parseDigest("sha256", bad)).toThrow();
  });
});
