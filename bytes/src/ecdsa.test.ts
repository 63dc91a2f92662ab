import { createPublicKey, createSign, generateKeyPairSync, verify, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes } from "./compare.ts";
import { sha384 } from "./digest.ts";
import { parseEcdsaDer } from "./ecdsa-der.ts";
import { formatHex, parseHex } from "./hex.ts";
import { ECDSA_LENGTH, ecdsaPublicKey, ecdsaSign, ecdsaVerify, isEcdsaPublicKey } from "./ecdsa.ts";
import { utf8 } from "./utf8.ts";

const PRIME = (1n << 384n) - (1n << 128n) - (1n << 96n) + (1n << 32n) - 1n;
const ORDER = BigInt(
  "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);

const bigEndian = (value: bigint): Uint8Array => parseHex(value.toString(16).padStart(96, "0"), "number");
const pair = (first: bigint, second: bigint): Uint8Array => concatBytes(bigEndian(first), bigEndian(second));

/** base ** exponent modulo the order. */
function power(base: bigint, exponent: bigint): bigint {
  if (exponent === 0n) return 1n;
  const half = power((base * base) % ORDER, exponent >> 1n);
  return (exponent & 1n) === 0n ? half : (half * base) % ORDER;
}

function opensslKey(publicKey: Uint8Array): KeyObject {
  const coordinate = (at: number): string =>
    Buffer.from(publicKey.subarray(at, at + 48)).toString("base64url");
  return createPublicKey({
    format: "jwk",
    key: { kty: "EC", crv: "P-384", x: coordinate(0), y: coordinate(48) },
  });
}

const opensslVerify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  verify("sha384", message, { key: opensslKey(publicKey), dsaEncoding: "ieee-p1363" }, signature);

// RFC 6979, appendix A.2.6.
const PRIVATE = parseHex(
  "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
  "private key",
);
const PUBLIC = ecdsaPublicKey("P-384", PRIVATE);

describe("P-384: the firmware and we must agree on who signed", () => {
  it("makes the key and the signatures of RFC 6979", () => {
    expect(formatHex(PUBLIC)).toBe(
      "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13" +
        "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
    );
    expect(formatHex(ecdsaSign("P-384", PRIVATE, utf8("sample")))).toBe(
      "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46" +
        "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
    );
    expect(formatHex(ecdsaSign("P-384", PRIVATE, utf8("test")))).toBe(
      "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db" +
        "ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5",
    );
  });

  it("signs what OpenSSL accepts, and accepts what OpenSSL signs, low s or high", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const secret = new Uint8Array(Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url"));
    const key = ecdsaPublicKey("P-384", secret);
    const messages = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(messages, (message) => {
        expect(opensslVerify(key, message, ecdsaSign("P-384", secret, message))).toBe(true);
        const der = createSign("sha384").update(message).sign(privateKey);
        const signature = parseEcdsaDer(new Uint8Array(der), 48);
        expect(ecdsaVerify("P-384", key, message, signature)).toBe(true);
        const s = BigInt(`0x${formatHex(signature.subarray(48))}`);
        const twin = concatBytes(signature.subarray(0, 48), bigEndian(ORDER - s));
        expect(ecdsaVerify("P-384", key, message, twin)).toBe(true);
        expect(opensslVerify(key, message, twin)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["r is 0", pair(0n, 1n)],
    ["s is 0", pair(1n, 0n)],
    ["r is the order", pair(ORDER, 1n)],
    ["s is the order", pair(1n, ORDER)],
    ["both are the largest number", pair((1n << 384n) - 1n, (1n << 384n) - 1n)],
    ["everything is 0", new Uint8Array(96)],
    ["a byte is missing", new Uint8Array(95).fill(1)],
    ["a byte is too many", new Uint8Array(97).fill(1)],
  ])("refuses a signature in which %s", (_what, signature) => {
    expect(ecdsaVerify("P-384", PUBLIC, utf8("sample"), signature)).toBe(false);
  });

  it("refuses s plus the order, or one signature would have two spellings", () => {
    // With the nonce 1 the point is the base point; the key is chosen so that s is 1, and 1 + n still fits.
    const message = utf8("an ID block");
    const r = BigInt(`0x${formatHex(ecdsaPublicKey("P-384", bigEndian(1n)).subarray(0, 48))}`) % ORDER;
    const z = BigInt(`0x${formatHex(sha384(message))}`);
    const secret = ((((1n - z) * power(r, ORDER - 2n)) % ORDER) + ORDER) % ORDER;
    const key = ecdsaPublicKey("P-384", bigEndian(secret));
    expect(ecdsaVerify("P-384", key, message, pair(r, 1n))).toBe(true);
    expect(opensslVerify(key, message, pair(r, 1n))).toBe(true);
    expect(ecdsaVerify("P-384", key, message, pair(r, 1n + ORDER))).toBe(false);
  });

  it.each([
    ["the point at infinity as zeros", new Uint8Array(96)],
    ["a point off the curve", concatBytes(PUBLIC.subarray(0, 95), Uint8Array.of(0x21))],
    ["x of the prime", concatBytes(bigEndian(PRIME), PUBLIC.subarray(48))],
    ["an x that is right only modulo the prime", pair(PRIME + 2n, 1n)],
    ["half a key", PUBLIC.subarray(0, 48)],
  ])("refuses as a key %s", (_what, key) => {
    expect(isEcdsaPublicKey("P-384", key)).toBe(false);
    expect(ecdsaVerify("P-384", key, utf8("sample"), ecdsaSign("P-384", PRIVATE, utf8("sample")))).toBe(
      false,
    );
  });

  it("refuses a signature when any bit of it, of the key or of the message is flipped", () => {
    const message = utf8("an ID block");
    const whole = concatBytes(PUBLIC, ecdsaSign("P-384", PRIVATE, message), message);
    fc.assert(
      fc.property(fc.nat(whole.length * 8 - 1), (bit) => {
        const flipped = whole.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(ecdsaVerify("P-384", flipped.slice(0, 96), flipped.slice(192), flipped.slice(96, 192))).toBe(
          false,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("refuses private keys that are none, without quoting them", () => {
    for (const key of [new Uint8Array(48), bigEndian(ORDER), new Uint8Array(47).fill(1)])
      for (const use of [() => ecdsaPublicKey("P-384", key), () => ecdsaSign("P-384", key, utf8("m"))])
        expect(use).toThrow(/^a P-384 private key is 48 bytes from 1 to below the order of the curve$/);
  });
});

// RFC 6979, appendices A.2.5 and A.2.7: key, then the signatures of "sample" and "test".
const OTHER_CURVES = [
  [
    "P-256",
    "sha256",
    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" +
      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367" +
      "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
  ],
  [
    "P-521",
    "sha512",
    "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
    "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa" +
      "00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
    "013e99020abf5cee7525d16b69b229652ab6bdf2affcaef38773b4b7d08725f10cdb93482fdcc54edcee91eca4166b2a7c6265ef0ce2bd7051b7cef945babd47ee6d" +
      "01fbd0013c674aa79cb39849527916ce301c66ea7ce8b80682786ad60f98f7e78a19ca69eff5c57400e3b3a0ad66ce0978214d13baf4e9ac60752f7b155e2de4dce3",
  ],
] as const;

describe.each(OTHER_CURVES)(
  "%s: who signs an enclave image must be the same for AWS and for us",
  (curve, hash, secret, sample, test) => {
    const key = parseHex(secret, "private key");
    const size = ECDSA_LENGTH[curve];

    it("makes the signatures of RFC 6979", () => {
      expect(formatHex(ecdsaSign(curve, key, utf8("sample")))).toBe(sample);
      expect(formatHex(ecdsaSign(curve, key, utf8("test")))).toBe(test);
    });

    it("signs what OpenSSL accepts, and accepts what OpenSSL signs, also in DER", () => {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
      const mine = new Uint8Array(Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url"));
      const point = ecdsaPublicKey(curve, mine);
      for (let round = 0; round < 5; round++) {
        const message = utf8(`message ${round}`);
        const signature = ecdsaSign(curve, mine, message);
        expect(verify(hash, message, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
        const der = new Uint8Array(createSign(hash).update(message).sign(privateKey));
        expect(ecdsaVerify(curve, point, message, parseEcdsaDer(der, size))).toBe(true);
      }
    });

    it("refuses what is no key, no signature, or another message's", () => {
      const point = ecdsaPublicKey(curve, key);
      const signature = ecdsaSign(curve, key, utf8("sample"));
      expect(ecdsaVerify(curve, point, utf8("sample"), signature)).toBe(true);
      expect(ecdsaVerify(curve, point, utf8("other"), signature)).toBe(false);
      expect(ecdsaVerify(curve, point, utf8("sample"), signature.subarray(1))).toBe(false);
      expect(ecdsaVerify("P-384", point, utf8("sample"), signature)).toBe(false);
      for (const wrong of [new Uint8Array(2 * size), new Uint8Array(2 * size).fill(0xff), point.subarray(1)])
        expect(isEcdsaPublicKey(curve, wrong)).toBe(false);
      expect(() => ecdsaPublicKey(curve, new Uint8Array(size))).toThrow(
        `a ${curve} private key is ${size} bytes from 1 to below the order of the curve`,
      );
    });
  },
);
