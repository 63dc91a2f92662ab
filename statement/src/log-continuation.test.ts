import { formatHex, formatVkey, ParseError, sha256, utf8 } from "@bootproof/bytes";
import { makeSigningKey } from "@bootproof/bytes/signing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeLogContinuation, readLogContinuation, type LogContinuation } from "./log-continuation.ts";
import { formatStatement, parseStatement, type Statement } from "./statement.ts";
import { LOG_CONTINUATION_TYPE } from "./type-uri.ts";

const KEY = formatVkey(makeSigningKey("example.org/old", new Uint8Array(32).fill(1)).vkey);
const ROOT = sha256(new Uint8Array());
const CHECKPOINT = `example.org/old\n7\n${Buffer.from(ROOT).toString("base64")}\n\n\u2014 example.org/old AAAAAAAA\n`;
const OLD: LogContinuation = {
  origin: "example.org/old",
  keys: [KEY],
  size: 7,
  root: formatHex(ROOT),
  checkpoint: CHECKPOINT,
};

const change = (predicate: object): Statement => ({
  ...makeLogContinuation(OLD),
  predicate: { ...OLD, keys: [...OLD.keys], ...predicate },
});

describe("the statement that continues a log", () => {
  it("is what it was made from once it has been written and read", () => {
    const payload = formatStatement(makeLogContinuation(OLD));
    const read = readLogContinuation(parseStatement(payload));
    expect(read).toMatchObject({ predicateType: LOG_CONTINUATION_TYPE, predicate: OLD });
    expect(read.subject).toEqual([
      { name: "checkpoint", digest: { sha256: formatHex(sha256(utf8(CHECKPOINT))) } },
    ]);
  });

  it.each([
    ["another origin than its checkpoint", { origin: "example.org/other" }],
    ["another size", { size: 8 }],
    ["another root", { root: "00".repeat(32) }],
    ["another checkpoint than its subject", { checkpoint: `${CHECKPOINT}\u2014 x AAAAAAAA\n` }],
    ["no checkpoint", { checkpoint: "" }],
    ["a control character", { checkpoint: CHECKPOINT.replace("7", "\u0000") }],
    ["no key", { keys: [] }],
    ["a key twice", { keys: [KEY, KEY] }],
    ["a key that is none", { keys: ["x"] }],
    ["a negative size", { size: -1 }],
    ["a key that it does not know", { more: 1 }],
    ["a root that is no hash", { root: "00" }],
  ])("is refused with %s", (_name, predicate) => {
    expect(() => readLogContinuation(change(predicate))).toThrow(ParseError);
  });

  it("is refused with another subject, or with more", () => {
    const [subject] = makeLogContinuation(OLD).subject;
    for (const other of [[], [{ ...subject!, name: "x" }], [subject!, { ...subject!, name: "x" }]])
      expect(() => readLogContinuation({ ...change({}), subject: other })).toThrow(ParseError);
  });

  it("never breaks the reader, whatever its predicate is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(OLD)), (value, key) => {
        for (const predicate of [value, { ...OLD, [key]: value }])
          try {
            readLogContinuation({ ...change({}), predicate: predicate as Statement["predicate"] });
          } catch (error) {
            if (!(error instanceof ParseError)) throw error;
          }
      }),
      { numRuns: 200 },
    );
  });
});
