import { ParseError, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { expectParserToSurvive, readVectors } from "./hostile.testing.ts";
import { evaluateQuorum, parseLogPolicy } from "./log-policy.ts";

interface Case {
  readonly p: string;
  readonly why?: string;
}
const vectors = readVectors<{ valid: readonly Case[]; invalid: readonly Case[] }>("policy/policies.json");
const { witness_vkeys: keys } = readVectors<{ witness_vkeys: readonly string[] }>("proof/expected.json");
const witnesses = keys.map((key, at) => `witness w${at + 1} ${key}\n`).join("");

describe("log policies: a policy that asks for less than its author wrote", () => {
  it.each(vectors.valid.map(({ p, why }, at) => [why ?? `valid ${at}`, p]))("reads: %s", (_, text) => {
    expect(parseLogPolicy(text)).toEqual(parseLogPolicy(utf8(text)));
  });

  it.each(vectors.invalid.map(({ p, why }) => [why, p]))("refuses: %s", (_, text) => {
    expect(() => parseLogPolicy(text)).toThrow(ParseError);
  });

  it.each([
    ["a line without line end", "quorum none"],
    ["a threshold with a leading zero", `${witnesses}group g 01 w1\nquorum g\n`],
    ["a group without members", `${witnesses}group g any\nquorum g\n`],
    ["a quorum of two names", `${witnesses}quorum w1 w2\n`],
    ["a third word after a log's URL", "log k u x\nquorum none\n"],
    ["a vertical tab", "quorum\vnone\n"],
    ["a witness key for a log", `log ${keys[0]!}\nquorum none\n`],
    ["a group named none", `${witnesses}group none any w1\nquorum none\n`],
    ["a group with a witness's name", `${witnesses}group w2 any w1\nquorum w1\n`],
  ])("refuses %s", (_, text) => {
    expect(() => parseLogPolicy(text)).toThrow(ParseError);
  });

  it("keeps names apart that differ only in their octets", () => {
    const policy = parseLogPolicy(
      `witness K ${keys[0]!}\nwitness \u212a ${keys[1]!}\ngroup g all K \u212a\nquorum g\n`,
    );
    expect(policy.witnesses).toHaveLength(2);
  });

  it.each([
    ["none", "", true],
    ["w1", "w1", true],
    ["w1", "w2 w3", false],
    ["two", "w1 w3", true],
    ["two", "w3", false],
    ["two", "", false],
    ["two", "w1 w2 w3", true],
    ["all", "w1 w2", false],
  ] as const)("counts for quorum %s with cosignatures of [%s]: %s", (name, seen, answer) => {
    const group = { none: "", w1: "", two: "group two 2 w1 w2 w3\n", all: "group all all w1 w2 w3\n" }[name];
    const policy = parseLogPolicy(`${witnesses}${group}quorum ${name}\n`);
    const said = seen.split(" ");
    expect(evaluateQuorum(policy, (witness) => said.includes(witness.name))).toBe(answer);
  });

  it("counts groups of groups: two of X and any of Y", () => {
    const policy = parseLogPolicy(`${witnesses}group x any w1 w2\ngroup both all x w3\nquorum both\n`);
    const ask = (...names: string[]): boolean => evaluateQuorum(policy, ({ name }) => names.includes(name));
    expect([ask("w1", "w3"), ask("w2", "w3"), ask("w1", "w2"), ask("w3")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("survives any bytes", () => {
    expectParserToSurvive(parseLogPolicy, utf8(vectors.valid[0]!.p));
  });
});
