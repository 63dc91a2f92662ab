import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ed25519Verify } from "./ed25519.ts";
import { mlDsa44Verify } from "./mldsa.ts";
import { ParseError } from "./parse-error.ts";
import { formatSigningKey, makeSigningKey, parseSigningKey, signerOf } from "./signing-key.ts";
import { utf8 } from "./utf8.ts";
import { checkKeyName, formatVkey, KEY_TYPE, makeVkey, parseVkey } from "./vkey.ts";

const vectors = JSON.parse(readFileSync(new URL("../vectors/vkeys.json", import.meta.url), "utf8")) as {
  valid: string[];
  invalid: { v: string; why: string }[];
  private: { v: string; vkey: string }[];
};

const name = fc.stringMatching(/^[a-z0-9./-]{1,40}$/);
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const unreadable = (error: unknown): boolean => error instanceof ParseError;

describe("public keys: a key mistyped in a policy must never pass for another", () => {
  it.each(vectors.valid.map((text) => [text.slice(0, 50), text]))(
    "prints %s back as it was read",
    (_, text) => {
      expect(formatVkey(parseVkey(text))).toBe(text);
    },
  );

  it.each(vectors.invalid.map(({ v, why }) => [why, v]))("refuses a key with %s", (_, text) => {
    expect(() => parseVkey(text)).toThrow(ParseError);
  });

  it("reads any text as its one key or refuses it", () => {
    const mutated = fc
      .tuple(fc.constantFrom(...vectors.valid), fc.nat(120), fc.string({ unit: "binary", maxLength: 2 }))
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), mutated), (text) => {
        try {
          expect(formatVkey(parseVkey(text))).toBe(text);
        } catch (error) {
          if (!unreadable(error)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses names that a note cannot carry", () => {
    for (const bad of ["", "a b", "a+b", "a\u00a0b", "a\u0085b", "a\nb", "\u2003", "\ud800"])
      expect(() => checkKeyName(bad, "name"), JSON.stringify(bad)).toThrow(ParseError);
    // U+007F is not below U+0020, and the specification refuses no more than that.
    expect(() => checkKeyName("a\u007fb", "name")).not.toThrow();
    expect(() => makeVkey("x", KEY_TYPE.ed25519, new Uint8Array(31))).toThrow(ParseError);
    expect(() => parseVkey(`${"x".repeat(5000)}+00000000+AAAA`)).toThrow(ParseError);
  });
});

describe("private keys: what Go's note package wrote must sign here, and the secret must stay secret", () => {
  it.each(vectors.private.map(({ v, vkey }) => [vkey, v]))("derives %s", (vkey, text) => {
    const key = parseSigningKey(text);
    expect(formatVkey(key.vkey)).toBe(vkey);
    expect(formatSigningKey(key)).toBe(text);
  });

  it("signs what its public half verifies, for any name and seed", async () => {
    await fc.assert(
      fc.asyncProperty(name, seed, fc.uint8Array(), async (keyName, bytes, message) => {
        const key = parseSigningKey(formatSigningKey(makeSigningKey(keyName, bytes)));
        const signer = signerOf(key);
        const signature = await signer.sign(message);
        expect(ed25519Verify(parseVkey(signer.vkey).publicKey, message, signature)).toBe(true);
        expect(ed25519Verify(key.vkey.publicKey, utf8("another message"), signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it("never quotes the secret in an error", () => {
    const text = formatSigningKey(makeSigningKey("example.org/key", new Uint8Array(32).fill(7)));
    const secret = text.slice(text.lastIndexOf("+") + 1);
    for (const broken of [
      text.slice(0, -2),
      `${text}!`,
      text.replace("+KEY+", "+KEY"),
      text.replace("example", "exampl"),
      `${text}\n`,
    ]) {
      let message = "";
      try {
        parseSigningKey(broken);
      } catch (error) {
        message = String(error) + JSON.stringify(error);
      }
      expect(message).not.toBe("");
      expect(message).not.toContain(secret.slice(0, 20));
    }
  });

  it("refuses a seed of another length, and a public key in a secret's place", () => {
    expect(() => makeSigningKey("x", new Uint8Array(33))).toThrow(ParseError);
    const mlDsa = vectors.valid.find((text) => parseVkey(text).type === KEY_TYPE.mlDsa44)!;
    expect(() => parseSigningKey(`PRIVATE+KEY+${mlDsa}`)).toThrow(ParseError);
  });

  it("keeps an ML-DSA-44 key through its text", async () => {
    const key = makeSigningKey("example.org/w", new Uint8Array(32).fill(9), KEY_TYPE.mlDsa44);
    const again = parseSigningKey(formatSigningKey(key));
    expect(again).toEqual(key);
    const message = utf8("message");
    expect(mlDsa44Verify(key.vkey.publicKey, message, await signerOf(again).sign(message))).toBe(true);
  });
});
