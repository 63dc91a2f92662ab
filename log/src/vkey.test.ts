import { ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { expectOneSpelling, expectParserToSurvive, readVectors } from "./hostile.testing.ts";
import { ed25519Signer, formatPrivateKey, parsePrivateKey } from "./signer.ts";
import { formatVkey, parseVkey } from "./vkey.ts";

interface Case {
  readonly v: string;
  readonly why: string;
}
const vectors = readVectors<{
  valid: readonly string[];
  invalid: readonly Case[];
  private: readonly (Case & { vkey: string })[];
}>("vkey/vkeys.json");
const parse = (bytes: Uint8Array): unknown => parseVkey(parseUtf8(bytes, "vkey"));

describe("vkeys: a key that reads two ways lets two people check against two keys", () => {
  it.each(vectors.valid.map((text) => [text.slice(0, 60), text]))("reads and prints %s", (_, text) => {
    expect(formatVkey(parseVkey(text))).toBe(text);
  });

  it.each(vectors.invalid.map(({ v, why }) => [why, v]))("refuses: %s", (_, text) => {
    expect(() => parseVkey(text)).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    const sample = utf8(vectors.valid[0]!);
    expectParserToSurvive(parse, sample);
    expectOneSpelling((bytes) => utf8(formatVkey(parseVkey(parseUtf8(bytes, "vkey")))), sample);
  });
});

describe("private keys: a key file written by Go tools must open here, and the other way round", () => {
  it.each(vectors.private.map(({ v, vkey }) => [vkey, v]))("reads and prints the key of %s", (vkey, text) => {
    const key = parsePrivateKey(text);
    expect(formatPrivateKey(key)).toBe(text);
    expect(ed25519Signer(key.name, key.seed).vkey).toBe(vkey);
  });

  it("never repeats the key in an error", () => {
    const { v: text } = vectors.private[0]!;
    const secret = text.split("+").slice(4).join("+");
    for (const wrong of [
      text.slice(0, -1),
      `${text}\n`,
      text.replace("c74f20a3", "c74f20a4"),
      text.replace("+AY", "+BI"),
      text.toLowerCase(),
      text.slice(1),
    ]) {
      let message = "accepted";
      try {
        parsePrivateKey(wrong);
      } catch (error) {
        message = error instanceof ParseError ? error.message : "another error";
      }
      expect(message).toMatch(/^cannot read private key/);
      for (let at = 2; at + 8 < secret.length; at += 4)
        expect(message).not.toContain(secret.slice(at, at + 8));
    }
  });

  it("survives any bytes", () => {
    const { v: text } = vectors.private[0]!;
    expectParserToSurvive((bytes) => parsePrivateKey(parseUtf8(bytes, "private key")), utf8(text));
  });
});
