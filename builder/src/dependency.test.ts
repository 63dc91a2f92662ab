import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";
import { expect, it } from "vitest";
import { formatDependency, parseDependencies } from "./dependency.ts";

it("groups, alternatives, bounds and qualifiers are read as the policy writes them", () => {
  expect(
    parseDependencies("libc6 (>= 2.38), awk | mawk (<< 2:1~),\n python3:any, xz(=1)", "Depends"),
  ).toEqual([
    [{ name: "libc6", constraint: { relation: ">=", version: "2.38" } }],
    [
      { name: "awk", constraint: undefined },
      { name: "mawk", constraint: { relation: "<<", version: "2:1~" } },
    ],
    [{ name: "python3", constraint: undefined }],
    [{ name: "xz", constraint: { relation: "=", version: "1" } }],
  ]);
  expect(parseDependencies("", "Depends")).toEqual([]);
});

it.each([
  "a,,b",
  "a |",
  "A",
  "a (> 1)",
  "a (>= )",
  "a (>= 1",
  "a [amd64]",
  "a <!nocheck>",
  "a:i386",
  "a b",
  "a (>= x)",
])("%j is refused: what is not understood is not guessed", (text) => {
  expect(() => parseDependencies(text, "Depends")).toThrow(ParseError);
});

it("any text is dependencies or a ParseError, and what is read is printed as it was", () => {
  const words = fc.array(
    fc.constantFrom("aa", "b1", "c+", " ", ",", "|", "(", ")", ">=", "=", "1", ":any", "~"),
    { maxLength: 14 },
  );
  fc.assert(
    fc.property(words, (parts) => {
      const text = parts.join("");
      try {
        const groups = parseDependencies(text, "Depends");
        const printed = groups.map((group) => group.map(formatDependency).join(" | ")).join(", ");
        expect(parseDependencies(printed, "Depends")).toEqual(groups);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    }),
    { numRuns: 1000 },
  );
});
