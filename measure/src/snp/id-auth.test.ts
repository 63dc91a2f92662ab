import { createPublicKey, createSign, generateKeyPairSync, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHex, parseEcdsaDer, ParseError } from "@bootproof/bytes";
import { ecdsaPublicKey, ecdsaSign } from "@bootproof/bytes/ecdsa";
import {
  encodePublicKey,
  encodeSignature,
  keyDigest,
  parsePublicKey,
  parseSignature,
} from "./ecdsa-structures.ts";
import { hasNoAuthor, idKeyToSign, joinIdentity, parseIdAuth, signIdentity } from "./id-auth.ts";
import { encodeIdBlock } from "./id-block.ts";
import { fieldsOf, idAuthOf, identities, testKey } from "./identity.testing.ts";
import { verifyIdentity } from "./verify-identity.ts";

const idKey = testKey("id");
const authorKey = testKey("author");

function opensslVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const part = (at: number) => Buffer.from(publicKey.subarray(at, at + 48)).toString("base64url");
  const key = createPublicKey({
    format: "jwk",
    key: { kty: "EC", crv: "P-384", x: part(0), y: part(48) },
  });
  return verify("sha384", message, { key, dsaEncoding: "ieee-p1363" }, signature);
}

describe("ID auth: signatures that the firmware does not read as we do end in BAD_SIGNATURE", () => {
  it.each(identities)("$name: the key structures and their digests are the peers'", (vector) => {
    const sample = parseIdAuth(idAuthOf(vector));
    const made = signIdentity(fieldsOf(vector), idKey, authorKey);
    expect(formatHex(made.idKeyDigest)).toBe(vector.idKeyDigest);
    expect(formatHex(made.authorKeyDigest!)).toBe(vector.authorKeyDigest);
    const own = parseIdAuth(made.idAuth);
    expect(own.idPublicKey).toEqual(sample.idPublicKey);
    expect(own.authorPublicKey).toEqual(sample.authorPublicKey);
    expect([own.idKeyAlgorithm, own.authorKeyAlgorithm]).toEqual([1, 1]);
    expect(verifyIdentity(made).answer).toBe("yes");
  });

  it("makes signatures that OpenSSL accepts, the same ones every time", () => {
    const block = fieldsOf(identities[0]!);
    const first = signIdentity(block, idKey, authorKey);
    expect(signIdentity(block, idKey, authorKey)).toEqual(first);
    const auth = parseIdAuth(first.idAuth);
    const id = parsePublicKey(auth.idPublicKey).pair;
    const author = parsePublicKey(auth.authorPublicKey).pair;
    expect(opensslVerify(id, first.idBlock, parseSignature(auth.idBlockSignature).pair)).toBe(true);
    expect(opensslVerify(author, auth.idPublicKey, parseSignature(auth.idKeySignature).pair)).toBe(true);
  });

  it("takes signatures made elsewhere, by a key that never was here", () => {
    const id = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const author = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const publicKey = (key: typeof id.publicKey): Uint8Array => {
      const { x = "", y = "" } = key.export({ format: "jwk" });
      return new Uint8Array(Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]));
    };
    const sign = (key: typeof id.privateKey, message: Uint8Array): Uint8Array =>
      parseEcdsaDer(new Uint8Array(createSign("sha384").update(message).sign(key)), 48);
    const block = fieldsOf(identities[1]!);
    const idPublic = publicKey(id.publicKey);
    const made = joinIdentity(
      block,
      { publicKey: idPublic, signature: sign(id.privateKey, encodeIdBlock(block)) },
      {
        publicKey: publicKey(author.publicKey),
        signature: sign(author.privateKey, idKeyToSign(idPublic)),
      },
    );
    const verdict = verifyIdentity(made, { idKeyDigest: keyDigest(idPublic) });
    expect(verdict.answer).toBe("yes");
  });

  it("refuses to join a signature of something else, by whichever key", () => {
    const block = fieldsOf(identities[0]!);
    const id = {
      publicKey: ecdsaPublicKey("P-384", idKey),
      signature: ecdsaSign("P-384", idKey, encodeIdBlock(block)),
    };
    const wrong = [
      () => joinIdentity({ ...block, guestSvn: 1 }, id),
      () => joinIdentity(block, { ...id, publicKey: ecdsaPublicKey("P-384", authorKey) }),
      () => joinIdentity(block, id, id),
      () => joinIdentity(block, { ...id, signature: new Uint8Array(96) }),
    ];
    for (const join of wrong) expect(join).toThrow(expect.objectContaining({ code: "BP-ID-003" }));
  });

  it("leaves the author's part zero when there is none", () => {
    const { idAuth, authorKeyDigest } = signIdentity(fieldsOf(identities[0]!), idKey);
    expect(authorKeyDigest).toBeUndefined();
    expect(idAuth).toHaveLength(4096);
    expect(idAuth.subarray(0x644).every((byte) => byte === 0)).toBe(true);
    expect(hasNoAuthor(parseIdAuth(idAuth))).toBe(true);
  });

  it("keeps numbers that are shorter than 48 bytes, where a peer once shifted them", () => {
    const pairs = fc.tuple(fc.nat(47), fc.nat(47)).map(([first, second]) => {
      const pair = new Uint8Array(96);
      pair.fill(0xa5, first, 48).fill(0x5a, 48 + second);
      return pair;
    });
    fc.assert(
      fc.property(pairs, (pair) => {
        expect(parseSignature(encodeSignature(pair))).toEqual({ pair, notZero: undefined });
        expect(parsePublicKey(encodePublicKey(pair))).toEqual({ curve: 2, pair, notZero: undefined });
        // Little endian: the last byte of a number comes first.
        expect([encodeSignature(pair)[0], encodeSignature(pair)[72]]).toEqual([pair[47], pair[95]]);
      }),
    );
  });

  it("refuses every other length", () => {
    for (const length of [0, 1, 96, 4095, 4097, 8192])
      expect(() => parseIdAuth(new Uint8Array(length))).toThrow(ParseError);
    expect(() => parsePublicKey(new Uint8Array(1027))).toThrow(ParseError);
    expect(() => parseSignature(new Uint8Array(513))).toThrow(ParseError);
    expect(() => encodeSignature(new Uint8Array(95))).toThrow(RangeError);
  });
});
