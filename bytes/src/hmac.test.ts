import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHex, parseHex } from "./hex.ts";
import { hmacSha256 } from "./hmac.ts";
import { utf8 } from "./utf8.ts";

describe("HMAC-SHA-256: a wrong MAC would let another guest receive the secret", () => {
  // RFC 4231, test cases 1, 2 and 6: a short key, a shorter one, and one longer than a block.
  it.each([
    ["0b".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      "4a656665",
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      "aa".repeat(131),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
  ])("answers RFC 4231 for key %s", (key, message, mac) => {
    expect(formatHex(hmacSha256(parseHex(key, "key"), utf8(message)))).toBe(mac);
  });

  it("is what OpenSSL computes, for keys around the block size too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 140 }), fc.uint8Array({ maxLength: 300 }), (key, message) => {
        expect(formatHex(hmacSha256(key, message))).toBe(
          createHmac("sha256", key).update(message).digest("hex"),
        );
      }),
      { examples: [63, 64, 65].map((length) => [new Uint8Array(length).fill(7), utf8("m")]) },
    );
  });
});
