import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes } from "./compare.ts";
import { makeSign as makeNobleSign } from "./ed25519-noble.ts";
import { makeSign as makeNodeSign } from "./ed25519-node.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./ed25519.ts";
import { formatHex, parseHex } from "./hex.ts";
import { utf8 } from "./utf8.ts";

const SPKI = parseHex("302a300506032b6570032100", "SPKI prefix");
const PKCS8 = parseHex("302e020100300506032b657004220420", "PKCS#8 prefix");

interface EdgeCase {
  readonly key: string;
  readonly sig: string;
  readonly msg: string;
  readonly flags: readonly string[];
}

const edgeCases = JSON.parse(
  gunzipSync(readFileSync(new URL("../vectors/ed25519-cctv.json.gz", import.meta.url))).toString(),
) as { vectors: readonly EdgeCase[] };

function opensslVerify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.from(concatBytes(SPKI, key));
  return verify(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
}

describe("Ed25519: two verifiers that disagree on one signature would split the log's readers", () => {
  it("decides all 914 edge cases of CCTV by the strict rules, as OpenSSL does", () => {
    const refused = ["low_order_A", "low_order_R", "low_order_residue", "non_canonical_A", "non_canonical_R"];
    expect(edgeCases.vectors).toHaveLength(914);
    const wrong = edgeCases.vectors.filter(({ key, sig, msg, flags }) => {
      const bytes = [parseHex(key, "key"), utf8(msg), parseHex(sig, "sig")] as const;
      const answer = ed25519Verify(...bytes);
      return answer === flags.some((flag) => refused.includes(flag)) || answer !== opensslVerify(...bytes);
    });
    expect(wrong).toEqual([]);
  });

  it("makes the keys and signatures that OpenSSL makes", () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
        const key = createPrivateKey({
          key: Buffer.from(concatBytes(PKCS8, seed)),
          format: "der",
          type: "pkcs8",
        });
        const signature = ed25519Sign(seed, message);
        expect(formatHex(signature)).toBe(sign(null, message, key).toString("hex"));
        expect(ed25519Verify(ed25519PublicKey(seed), message, signature)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("signs with the same bytes in a browser as on Node, whose log would fork when signed twice", () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 3 }),
        (seed, messages) => {
          const [node, noble] = [makeNodeSign(seed), makeNobleSign(seed)];
          for (const message of messages) expect(formatHex(node(message))).toBe(formatHex(noble(message)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("refuses a signature when any bit of it, of the key or of the message is flipped", () => {
    const seed = new Uint8Array(32).fill(7);
    const parts = [ed25519PublicKey(seed), utf8("a checkpoint\n"), ed25519Sign(seed, utf8("a checkpoint\n"))];
    const whole = concatBytes(...parts);
    fc.assert(
      fc.property(fc.nat(whole.length * 8 - 1), (bit) => {
        const flipped = whole.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(ed25519Verify(flipped.slice(0, 32), flipped.slice(32, -64), flipped.slice(-64))).toBe(false);
      }),
    );
  });

  it("answers no, and does not throw, for keys and signatures of a wrong length", () => {
    expect(ed25519Verify(new Uint8Array(31), utf8(""), new Uint8Array(64))).toBe(false);
    expect(ed25519Verify(new Uint8Array(32), utf8(""), new Uint8Array(63))).toBe(false);
  });
});
