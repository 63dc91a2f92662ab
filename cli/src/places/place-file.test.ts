import { ParseError, utf8 } from "@bootproof/bytes";
import { cosignatureSigner, ed25519Signer, mlDsa44Signer } from "@bootproof/log";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatPlaceFile, parsePlaceFile, type PlaceFile } from "./place-file.ts";
import { formatVkeyFile, parseVkeyFile } from "./vkey-file.ts";

const seed = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const ONE = ed25519Signer("example.org/log", seed(1)).vkey;
const TWO = ed25519Signer("example.org/log", seed(2)).vkey;
const POST_QUANTUM = mlDsa44Signer("example.org/log", seed(3)).vkey;
const PLACE: PlaceFile = {
  keys: [
    { signer: "file:log.key", vkey: ONE },
    { signer: "env:NEXT", vkey: TWO },
    { signer: "file:pq.key", vkey: POST_QUANTUM },
  ],
  objects: "s3://logs/a",
  privateStore: "postgres://host/db",
};
const key = (vkey: string): { signer: string; vkey: string } => ({ signer: "file:k", vkey });

describe("what is remembered about a log's place", () => {
  it("is written in one way, and read back", () => {
    const text = formatPlaceFile(PLACE);
    expect(parsePlaceFile(utf8(text))).toEqual(PLACE);
    expect(Object.keys(JSON.parse(text) as object)).toEqual(["keys", "objects", "privateStore", "schema"]);
    expect(text.endsWith("}\n")).toBe(true);
  });

  it.each([
    ["another version", { schema: "bootproof/log-place/2" }, "UNSUPPORTED"],
    ["an unknown key", { passwords: [] }, "UNSUPPORTED"],
    ["no keys", { keys: [] }, "OUT_OF_RANGE"],
    ["nine keys", { keys: Array.from({ length: 9 }, () => key(ONE)) }, "OUT_OF_RANGE"],
    ["a key twice", { keys: [key(ONE), key(ONE)] }, "DUPLICATE"],
    ["keys of two names", { keys: [key(ONE), key(ed25519Signer("x", seed(1)).vkey)] }, "NOT_CANONICAL"],
    ["no Ed25519 key", { keys: [key(POST_QUANTUM)] }, "NOT_CANONICAL"],
    [
      "a witness's key",
      { keys: [key(ONE), key(cosignatureSigner("example.org/log", seed(4)).vkey)] },
      "NOT_CANONICAL",
    ],
    ["a key without a signer", { keys: [{ vkey: ONE }] }, "MISSING"],
    ["a key that is none", { keys: [key("rubbish")] }, "MISSING"],
    ["a store that is no text", { objects: 1 }, "BAD_ENCODING"],
  ])("is refused with %s", (_name, change, code) => {
    const text = JSON.stringify({ ...(JSON.parse(formatPlaceFile(PLACE)) as object), ...change });
    expect(() => parsePlaceFile(utf8(text))).toThrow(expect.objectContaining({ code }) as Error);
  });

  const text = formatPlaceFile(PLACE);
  it.each([
    ["any bytes", fc.uint8Array({ maxLength: 200 })],
    [
      "changed ones",
      fc.tuple(fc.nat(text.length - 1), fc.nat(255)).map(([at, value]) => {
        const bytes = utf8(text);
        bytes[at] = value;
        return bytes;
      }),
    ],
  ])("never breaks the reader: %s", (_name, hostile) => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          parsePlaceFile(bytes);
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("log.vkey", () => {
  it("lists one key, or while they change two", () => {
    for (const keys of [[ONE], [ONE, TWO]]) expect(parseVkeyFile(formatVkeyFile(keys))).toEqual(keys);
    expect(parseVkeyFile(ONE)).toEqual([ONE]);
  });

  it.each([
    ["nothing", ""],
    ["a key twice", `${ONE}\n${ONE}\n`],
    ["keys of two logs", `${ONE}\n${ed25519Signer("x", seed(1)).vkey}\n`],
    ["an empty line", `${ONE}\n\n${TWO}\n`],
    ["seventeen keys", Array.from({ length: 17 }, (_, at) => ed25519Signer("x", seed(at)).vkey).join("\n")],
  ])("is refused with %s", (_name, file) => {
    expect(() => parseVkeyFile(file)).toThrow(ParseError);
  });
});
