import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHex } from "./hex.ts";
import {
  ML_DSA_44_KEY_LENGTH,
  ML_DSA_44_SIGNATURE_LENGTH,
  mlDsa44PublicKey,
  mlDsa44Sign,
  mlDsa44Verify,
} from "./mldsa.ts";
import { utf8 } from "./utf8.ts";

// C2SP CCTV, ML-DSA accumulated vectors: SHAKE128 over the keys and deterministic signatures of 100 seeds, which
// are SHAKE128 of nothing, cut into pieces of 32 bytes.
const ACCUMULATED = "d51148e1f9f4fa1a723a6cf42e25f2a99eb5c1b378b3d2dbbd561b1203beeae4";

describe("ML-DSA-44: a signature that others refuse, or that they accept and we do not", () => {
  it("makes the keys and signatures of CCTV's 100 seeds, and verifies them", () => {
    const seeds = createHash("shake128", { outputLength: 3200 }).digest();
    const found = createHash("shake128", { outputLength: 32 });
    const message = new Uint8Array();
    for (let at = 0; at < 3200; at += 32) {
      const seed = new Uint8Array(seeds.subarray(at, at + 32));
      const publicKey = mlDsa44PublicKey(seed);
      const signature = mlDsa44Sign(seed, message);
      expect(mlDsa44Verify(publicKey, message, signature)).toBe(true);
      found.update(publicKey).update(signature);
    }
    expect(found.digest("hex")).toBe(ACCUMULATED);
  });

  it("refuses any changed byte of key, message and signature, and any other length, and never throws", () => {
    const seed = new Uint8Array(32).fill(7);
    const [key, message] = [mlDsa44PublicKey(seed), utf8("message")];
    const signature = mlDsa44Sign(seed, message);
    expect([key.length, signature.length]).toEqual([ML_DSA_44_KEY_LENGTH, ML_DSA_44_SIGNATURE_LENGTH]);
    expect(formatHex(mlDsa44Sign(seed, message))).toBe(formatHex(signature));
    const changed = (bytes: Uint8Array, at: number): Uint8Array =>
      bytes.with(at % bytes.length, (bytes[at % bytes.length] ?? 0) ^ 0x40);
    fc.assert(
      fc.property(fc.nat(5000), (at) => {
        expect(mlDsa44Verify(changed(key, at), message, signature)).toBe(false);
        expect(mlDsa44Verify(key, changed(message, at), signature)).toBe(false);
        expect(mlDsa44Verify(key, message, changed(signature, at))).toBe(false);
      }),
      { numRuns: 30 },
    );
    for (const bad of [new Uint8Array(), signature.subarray(1), new Uint8Array(2420), new Uint8Array(2421)])
      expect(mlDsa44Verify(key, message, bad)).toBe(false);
    expect(mlDsa44Verify(key.subarray(1), message, signature)).toBe(false);
  });
});
