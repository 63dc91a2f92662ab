import { expect, it } from "vitest";
import { nearestWord } from "./suggestion.ts";

it.each([
  ["toolchian", "toolchain"],
  ["Version", "version"],
  ["step", "steps"],
  ["sources", "source"],
  ["nmae", "name"],
  ["xyz", undefined],
  ["", undefined],
])("%j is answered with %j", (word, nearest) => {
  expect(nearestWord(word, ["name", "version", "source", "toolchain", "steps", "outputs"])).toBe(nearest);
});

it("the nearest of several is taken, and the first of two as near", () => {
  expect(nearestWord("gcc-13", ["gcc-14", "gcc-12", "gcc-133"])).toBe("gcc-14");
  expect(nearestWord("gcc-13", ["xcc-14", "gcc-14"])).toBe("gcc-14");
});
