import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { mayPublish, policySchema } from "./policy.ts";
import { KEYS, vkeyOf } from "./world.testing.ts";

const publisher = { organisation: "Example", key: vkeyOf("publisher"), subjects: ["snp-guest"] };
const rebuilders = [
  { organisation: "A", key: vkeyOf("rebuilderA") },
  { organisation: "B", key: vkeyOf("rebuilderB") },
];
const whole = {
  publishers: [publisher],
  logs: [vkeyOf("log")],
  witnesses: { need: 1, keys: [vkeyOf("witness1"), vkeyOf("witness2")] },
  rebuilds: { need: 2, accept: ["IDENTICAL"], rebuilders },
};

const without = (key: keyof typeof whole): unknown =>
  Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key));

const problem = (value: unknown): string => {
  const result = v.safeParse(policySchema, value);
  if (result.success) return "accepted";
  return `${v.getDotPath(result.issues[0]) ?? ""}: ${result.issues[0].message}`;
};

describe("policy: a mistake in it must not turn a no into a yes", () => {
  it("reads keys and keeps every rule", () => {
    const policy = v.parse(policySchema, whole);
    expect(policy.publishers[0]?.key).toEqual(KEYS.publisher.vkey);
    expect(policy.witnesses).toEqual({ need: 1, keys: [KEYS.witness1.vkey, KEYS.witness2.vkey] });
    expect(policy.rebuilds).toMatchObject({ need: 2, accept: ["IDENTICAL"] });
  });

  it("lets a person write any aloud", () => {
    const any = {
      ...whole,
      witnesses: "any",
      rebuilds: "any",
      publishers: [{ ...publisher, subjects: "any" }],
    };
    expect(v.parse(policySchema, any)).toMatchObject({ witnesses: "any", rebuilds: "any" });
  });

  it.each([
    ["no publishers", without("publishers"), /^publishers: missing key/],
    ["an empty list of publishers", { ...whole, publishers: [] }, /^publishers: expected at least one/],
    ["no logs", { ...whole, logs: [] }, /^logs: expected at least one/],
    ["no word about witnesses", without("witnesses"), /^witnesses: missing key; write "any"/],
    ["no word about rebuilds", without("rebuilds"), /^rebuilds: missing key; write "any"/],
    ["an unknown key", { ...whole, witness: "any" }, /^witness: unknown key; known here: publishers/],
    ["any for the logs", { ...whole, logs: "any" }, /^logs: expected a list/],
    [
      "zero witnesses",
      { ...whole, witnesses: { ...whole.witnesses, need: 0 } },
      /^witnesses.need: expected at least 1/,
    ],
    [
      "more witnesses than keys",
      { ...whole, witnesses: { ...whole.witnesses, need: 3 } },
      /^witnesses: need is larger/,
    ],
    [
      "one witness key under two entries",
      { ...whole, witnesses: { need: 2, keys: [vkeyOf("witness1"), vkeyOf("witness1")] } },
      /^witnesses.keys: an entry appears twice/,
    ],
    [
      "more organisations than there are",
      {
        ...whole,
        rebuilds: { ...whole.rebuilds, rebuilders: rebuilders.map((one) => ({ ...one, organisation: "A" })) },
      },
      /^rebuilds: need is larger than the number of organisations/,
    ],
    [
      "a publisher's key as a rebuilder's of another organisation",
      {
        ...whole,
        rebuilds: {
          ...whole.rebuilds,
          rebuilders: [...rebuilders, { organisation: "C", key: publisher.key }],
        },
      },
      /^: a key belongs to one organisation as publisher/,
    ],
    [
      "DIVERGED as a confirmation",
      { ...whole, rebuilds: { ...whole.rebuilds, accept: ["DIVERGED"] } },
      /^rebuilds.accept.0: expected IDENTICAL/,
    ],
    [
      "a log's key as a witness",
      { ...whole, witnesses: { need: 1, keys: [vkeyOf("log")] } },
      /^witnesses.keys.0: expected a witness's vkey/,
    ],
    ["a witness's key as a log", { ...whole, logs: [vkeyOf("witness1")] }, /^logs.0: expected a log's vkey/],
    [
      "a mistyped key",
      { ...whole, logs: [vkeyOf("log").replace("log+", "1og+")] },
      /^logs.0: cannot read vkey key ID/,
    ],
    [
      "a star in the middle",
      { ...whole, publishers: [{ ...publisher, subjects: ["a*b"] }] },
      /^publishers.0.subjects.0: expected a release's name/,
    ],
    [
      "a star alone",
      { ...whole, publishers: [{ ...publisher, subjects: ["*"] }] },
      /^publishers.0.subjects.0: expected a release's name/,
    ],
    ["nothing", undefined, /expected a mapping with publishers/],
    ["text", "any", /expected a mapping with publishers/],
  ])("refuses %s", (_, value, expected) => {
    expect(problem(value)).toMatch(expected);
  });

  it("refuses any other value without throwing", () => {
    fc.assert(fc.property(fc.anything(), (value) => problem(value) !== "accepted"));
  });

  it.each([
    [["snp-guest"], "snp-guest", true],
    [["snp-guest"], "snp-guest2", false],
    [["snp-*"], "snp-guest", true],
    [["snp-*"], "tdx-guest", false],
    [["a", "snp-*"], "snp-", true],
    ["any", "whatever", true],
  ] as const)("%j may publish %s: %s", (subjects, name, expected) => {
    const { key } = v.parse(policySchema, whole).publishers[0]!;
    expect(mayPublish({ organisation: "Example", key, subjects }, name)).toBe(expected);
  });
});
