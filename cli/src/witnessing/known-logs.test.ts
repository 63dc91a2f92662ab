import { ParseError } from "@bootproof/bytes";
import { ed25519Signer, cosignatureSigner } from "@bootproof/log";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatKnownLog, parseKnownLogs } from "./known-logs.ts";

const key = (name: string, seed: number): string => ed25519Signer(name, new Uint8Array(32).fill(seed)).vkey;
const [a, b, renewed] = [key("a.test/log", 1), key("b.test", 2), key("a.test/log", 3)];

describe("the list of logs: a witness that trusts a key nobody meant", () => {
  it("reads keys by origin, with what the witness network writes beside them", () => {
    const text = `# ours\nlogs/v0\n\nvkey ${a}\nqpd 86400\ncontact who@a.test\nlater word\n\nvkey ${b}\norigin another name\n\nvkey ${renewed}\n`;
    expect([...parseKnownLogs(text)]).toEqual([
      ["a.test/log", [a, renewed]],
      ["another name", [b]],
    ]);
    expect(parseKnownLogs(`logs/v0\n${formatKnownLog(b, "o")}`).get("o")).toEqual([b]);
  });

  it.each([
    ["no header", `vkey ${a}\n`],
    ["nothing", ""],
    ["a witness's key", `logs/v0\nvkey ${cosignatureSigner("w", new Uint8Array(32)).vkey}\n`],
    ["an origin before any key", "logs/v0\norigin x\n"],
    ["two origins of one key", `logs/v0\nvkey ${a}\norigin x\norigin y\n`],
    ["a rate that is no number", `logs/v0\nvkey ${a}\nqpd many\n`],
    ["a key without its value", "logs/v0\nvkey\n"],
    ["a changed key", `logs/v0\nvkey ${a.replace("a.test", "c.test")}\n`],
  ])("refuses %s", (_, text) => {
    expect(() => parseKnownLogs(text)).toThrow(ParseError);
  });

  it("survives any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(200), (text, cut) => {
        for (const bad of [text, `logs/v0\n${text}`, `logs/v0\nvkey ${a}\n`.slice(0, cut) + text])
          try {
            parseKnownLogs(bad);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
      }),
    );
  });
});
