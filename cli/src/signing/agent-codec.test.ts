import { concatBytes, ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  formatEd25519Blob,
  formatIdentitiesRequest,
  formatSignRequest,
  MAX_AGENT_MESSAGE,
  parseIdentities,
  parseMessageLength,
  parseSignature,
} from "./agent-codec.ts";

const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const string = (bytes: Uint8Array | string): Uint8Array => {
  const content = typeof bytes === "string" ? utf8(bytes) : bytes;
  return concatBytes(u32(content.length), content);
};
const KEY = new Uint8Array(32).fill(7);
const SIGNATURE = new Uint8Array(64).fill(9);
const identities = (...keys: readonly [Uint8Array, string][]): Uint8Array =>
  concatBytes(
    Uint8Array.of(12),
    u32(keys.length),
    ...keys.map(([blob, comment]) => concatBytes(string(blob), string(comment))),
  );
const signed = (type: string, signature: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(14), string(concatBytes(string(type), string(signature))));
const RSA = concatBytes(string("ssh-rsa"), string(new Uint8Array(3)), string(new Uint8Array(256)));

describe("what an ssh-agent is asked", () => {
  it("is as the protocol has it, or no agent would answer", () => {
    expect(formatIdentitiesRequest()).toEqual(Uint8Array.of(0, 0, 0, 1, 11));
    const blob = formatEd25519Blob(KEY);
    expect(blob).toEqual(concatBytes(string("ssh-ed25519"), string(KEY)));
    const body = concatBytes(Uint8Array.of(13), string(blob), string("message"), u32(0));
    expect(formatSignRequest(blob, utf8("message"))).toEqual(concatBytes(u32(body.length), body));
  });
});

describe("what an ssh-agent answers", () => {
  it("is read: keys of all types, of which only Ed25519 keys can be ours", () => {
    const read = parseIdentities(identities([RSA, "work"], [formatEd25519Blob(KEY), "log \u2603"]));
    expect(read?.map(({ comment, ed25519 }) => [comment, ed25519])).toEqual([
      ["work", undefined],
      ["log \u2603", KEY],
    ]);
    expect(parseIdentities(identities())).toEqual([]);
    expect(parseSignature(signed("ssh-ed25519", SIGNATURE))).toEqual(SIGNATURE);
  });

  it("may be a refusal, which is no malformed answer", () => {
    expect(parseIdentities(Uint8Array.of(5))).toBeUndefined();
    expect(parseSignature(Uint8Array.of(5))).toBeUndefined();
  });

  it.each([
    ["nothing", new Uint8Array(), "TRUNCATED"],
    ["an answer to another question", signed("ssh-ed25519", SIGNATURE), "UNSUPPORTED"],
    ["a refusal with something behind it", Uint8Array.of(5, 0), "TRAILING"],
    ["more keys than there are", concatBytes(Uint8Array.of(12), u32(1)), "TRUNCATED"],
    ["millions of keys", concatBytes(Uint8Array.of(12), u32(1 << 24)), "TOO_LARGE"],
    ["a key without end", concatBytes(Uint8Array.of(12), u32(1), u32(0xffff_ffff)), "TOO_LARGE"],
    ["a key that is cut off", concatBytes(Uint8Array.of(12), u32(1), u32(60), KEY), "TRUNCATED"],
    ["bytes behind the keys", concatBytes(identities(), Uint8Array.of(0)), "TRAILING"],
    ["an Ed25519 key of 31 bytes", identities([formatEd25519Blob(KEY.subarray(1)), ""]), "OUT_OF_RANGE"],
    ["an Ed25519 key and more", identities([concatBytes(formatEd25519Blob(KEY), KEY), ""]), "TRAILING"],
    ["a comment of 1025 bytes", identities([formatEd25519Blob(KEY), "x".repeat(1025)]), "TOO_LARGE"],
  ])("is refused as keys: %s", (_name, bytes, code) => {
    expect(() => parseIdentities(bytes)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it.each([
    ["an answer to another question", identities(), "UNSUPPORTED"],
    ["a signature of another type", signed("ssh-rsa", SIGNATURE), "UNSUPPORTED"],
    ["63 bytes", signed("ssh-ed25519", SIGNATURE.subarray(1)), "OUT_OF_RANGE"],
    ["65 bytes", signed("ssh-ed25519", new Uint8Array(65)), "TOO_LARGE"],
    ["bytes behind it", concatBytes(signed("ssh-ed25519", SIGNATURE), KEY), "TRAILING"],
  ])("is refused as a signature: %s", (_name, bytes, code) => {
    expect(() => parseSignature(bytes)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("is refused by its length before it is read", () => {
    expect(parseMessageLength(u32(MAX_AGENT_MESSAGE))).toBe(MAX_AGENT_MESSAGE);
    for (const length of [0, MAX_AGENT_MESSAGE + 1, 0xffff_ffff])
      expect(() => parseMessageLength(u32(length))).toThrow(ParseError);
  });

  const valid = [identities([formatEd25519Blob(KEY), "c"], [RSA, ""]), signed("ssh-ed25519", SIGNATURE)];
  const mutated = fc
    .tuple(fc.constantFrom(...valid), fc.nat(400), fc.nat(255), fc.nat(4))
    .map(([bytes, at, value, cut]) => {
      const copy = bytes.slice(0, bytes.length - (value % 3 === 0 ? cut : 0));
      copy[at % copy.length] = value;
      return copy;
    });
  it.each([
    ["any bytes", fc.uint8Array({ maxLength: 300 })],
    ["answers with a changed byte", mutated],
  ])("never breaks the reader: %s", (_name, bytes) => {
    fc.assert(
      fc.property(bytes, (hostile) => {
        for (const parse of [parseIdentities, parseSignature])
          try {
            parse(hostile);
          } catch (error) {
            if (!(error instanceof ParseError)) throw error;
          }
      }),
      { numRuns: 500 },
    );
  });
});
