import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { door as node } from "./hash-node.ts";
import { door as noble } from "./hash-noble.ts";
import { formatHex } from "./hex.ts";
import type { HashAlgorithm } from "./hash-door.ts";
import { concatBytes } from "./compare.ts";
import { parseDigest, sha256, sha256Joined } from "./digest.ts";

describe("hashing: a browser and Node must never disagree on a digest", () => {
  it("node:crypto and @noble/hashes agree on any bytes, whole and in pieces", () => {
    const memory = new Uint8Array(200);
    const algorithms = fc.constantFrom<HashAlgorithm[]>("sha1", "sha256", "sha384", "sha512");
    fc.assert(
      fc.property(algorithms, fc.uint8Array({ maxLength: 500 }), fc.nat(500), (algorithm, bytes, cut) => {
        const whole = formatHex(node.once(algorithm, bytes));
        expect(formatHex(noble.once(algorithm, bytes))).toBe(whole);
        for (const door of [node, noble]) {
          const state = door.start(algorithm);
          state.update(bytes.subarray(0, cut));
          const copy = state.copy();
          copy.update(memory);
          state.update(bytes.subarray(cut));
          expect(formatHex(state.digest())).toBe(whole);
        }
      }),
    );
  });

  it("agree on a page, on what is around a block, and on views into the middle of a buffer", () => {
    const memory = Uint8Array.from({ length: 3 * 4096 }, (_, index) => (index * 167) >> 3);
    for (const length of [0, 1, 55, 56, 63, 64, 111, 112, 119, 127, 128, 4095, 4096, 8000])
      for (const algorithm of ["sha1", "sha256", "sha384", "sha512"] as const) {
        const view = memory.subarray(100, 100 + length);
        const digest = node.once(algorithm, view);
        expect(digest).toEqual(noble.once(algorithm, view));
        expect(digest).toEqual(node.once(algorithm, view.slice()));
      }
  });

  it("write the same digest where they are told, and nothing beside it", () => {
    const memory = new Uint8Array(200).fill(7);
    const target = memory.subarray(10, 190);
    for (const door of [node, noble])
      for (const algorithm of ["sha1", "sha256", "sha384", "sha512"] as const) {
        const bytes = Uint8Array.of(1, 2, 3, 0x80, 0xff);
        const digest = door.once(algorithm, bytes);
        memory.fill(7);
        door.into(algorithm, target)(bytes, 100);
        expect(target.subarray(100, 100 + digest.length)).toEqual(digest);
        expect(memory.filter((value) => value !== 7).length).toBe(
          digest.filter((value) => value !== 7).length,
        );
      }
  });

  it("hashes parts as if they were one, of any number and length, and keeps nothing of those before", () => {
    const part = fc.uint8Array({ maxLength: 5000 });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        expect(formatHex(sha256Joined(...parts))).toBe(formatHex(sha256(concatBytes(...parts))));
        const first = sha256Joined(...parts);
        expect(formatHex(sha256Joined(first, first))).toBe(formatHex(sha256(concatBytes(first, first))));
      }),
    );
  });

  it("gives out digests that share their memory with nothing", () => {
    for (const door of [node, noble]) {
      const [first, second] = [new Uint8Array(), new Uint8Array()].map((none) => door.once("sha384", none));
      if (first === undefined || second === undefined) throw new Error("two digests were asked for");
      expect(first.constructor).toBe(Uint8Array);
      expect(first.buffer.byteLength).toBe(48);
      first.fill(0);
      expect(second[0]).toBe(0x38);
    }
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
