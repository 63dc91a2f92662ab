import { execFileSync, spawnSync } from "node:child_process";
import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareDebianVersions, parseDebianVersion, satisfiesVersion } from "./debian-version.ts";

/** Each list from oldest to newest, after policy 5.6.12 and versions of the archive. */
const ASCENDING: readonly (readonly string[])[] = [
  ["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a", "1.0+b"],
  ["1.0~beta1~svn1245", "1.0~beta1", "1.0"],
  ["9.9", "10.0", "1:0.1", "2:0"],
  ["2.41-12", "2.41-12+b1", "2.41-12+deb13u4"],
  ["1.2", "1.2-1", "1.2.1"],
  ["0.9.10+2024-06-05+gba9ed5b2-0.6", "0.9.10+2024-06-05+gba9ed5b2-0.7"],
  ["1.0-1", "1.0.0-1"],
  ["20230131235959999999998", "20230131235959999999999"],
];
const EQUAL: readonly (readonly [string, string])[] = [
  ["0:1.0", "1.0"],
  ["1.0", "1.0-0"],
  ["1.00", "1.0"],
  ["1.01", "1.1"],
];

describe("Debian versions", () => {
  it("stand in the order of the policy", () => {
    for (const versions of ASCENDING)
      for (const [i, a] of versions.entries())
        for (const [j, b] of versions.entries())
          expect(Math.sign(compareDebianVersions(a, b)), `${a} against ${b}`).toBe(Math.sign(i - j));
  });

  it("are equal when they only differ in zeros", () => {
    for (const [a, b] of EQUAL) expect(compareDebianVersions(a, b), `${a} against ${b}`).toBe(0);
  });

  it("split at the first colon and the last hyphen", () => {
    expect(parseDebianVersion("1:2-3:4-5")).toEqual({ epoch: 1, upstream: "2-3:4", revision: "5" });
    expect(parseDebianVersion("7")).toEqual({ epoch: 0, upstream: "7", revision: "" });
  });

  it.each(["", "a1", "-1", ":1", "1:", "1: 2", "1_2", "2:a", "1.0-", "1;rm", "1".repeat(300)])(
    "%j is no version",
    (text) => {
      expect(() => parseDebianVersion(text)).toThrow(ParseError);
    },
  );

  it("meet constraints at and around the bound", () => {
    const met = (["<<", "<=", "=", ">=", ">>"] as const).map((relation) =>
      ["1", "2", "3"].filter((version) => satisfiesVersion(version, relation, "2")).join(""),
    );
    expect(met).toEqual(["1", "12", "2", "23", "3"]);
  });
});

const versionText = fc
  .tuple(
    fc.constantFrom("", "0:", "1:"),
    fc.string({ unit: fc.constantFrom("0", "0", "1", "9", "a", "Z", ".", "+", "~", "-"), maxLength: 6 }),
    fc.constantFrom("", "-1", "-0", "-0~a", "-1+b1"),
  )
  .map(([epoch, rest, revision]) => `${epoch}1${rest}${revision}`.replace(/-+$/, ""));

it("any two versions compare the same from both sides, and a third keeps their order", () => {
  fc.assert(
    fc.property(versionText, versionText, versionText, (a, b, c) => {
      expect(Math.sign(compareDebianVersions(a, b))).toBe(-Math.sign(compareDebianVersions(b, a)) + 0);
      if (compareDebianVersions(a, b) <= 0 && compareDebianVersions(b, c) <= 0)
        expect(compareDebianVersions(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

it("any text is a version or a ParseError", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom("0", "9", "a", "z", ".", "+", "~", "-", ":", "_", " ", "\n"),
        maxLength: 12,
      }),
      (text) => {
        try {
          parseDebianVersion(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      },
    ),
  );
});

const dpkg = spawnSync("dpkg", ["--version"]).status === 0;

it.skipIf(!dpkg)("dpkg puts versions in the same order", () => {
  const pairs = fc.sample(fc.tuple(versionText, versionText), { numRuns: 300, seed: 42 });
  // One shell for all pairs: a process for each would take a minute.
  const script = pairs
    .map(
      ([a, b]) =>
        `dpkg --compare-versions '${a}' lt '${b}' && echo -1 || { dpkg --compare-versions '${a}' eq '${b}' && echo 0 || echo 1; }`,
    )
    .join("\n");
  const answers = execFileSync("sh", ["-c", script], { encoding: "utf8" }).trim().split("\n").map(Number);
  for (const [index, [a, b]] of pairs.entries())
    expect(Math.sign(compareDebianVersions(a, b)), `${a} against ${b}`).toBe(answers[index]);
});
