import { Command } from "commander";
import { describe, expect, it } from "vitest";

import { Given, parseUnsigned } from "./given.ts";

describe("given options", () => {
  const typed = (...argv: string[]): Given => {
    const command = new Command()
      .option("--no-cache", "x")
      .option("--trace", "x")
      .option("--vcpus <n>", "x")
      .exitOverride();
    return new Given([], command.parse(argv, { from: "user" }).opts());
  };

  it("tell --no-cache from its absence, or a cached build is passed off as a fresh one", () => {
    expect(typed("--no-cache").refused("cache")).toBe(true);
    expect(typed().refused("cache")).toBe(false);
    expect(typed("--trace").flag("trace")).toBe(true);
    expect(typed().flag("trace")).toBe(false);
  });

  it.each(["", "-1", "1.5", "1e3", " 1", "0x", "0xg", "one", "99999999999999999999999"])(
    "refuse %j as a number",
    (text) => {
      expect(() => parseUnsigned("--vcpus", text, 10n)).toThrow("--vcpus");
    },
  );

  it.each([
    ["0", 0n],
    ["10", 10n],
    ["0xA", 10n],
  ])("read %s", (text, number) => {
    expect(parseUnsigned("--vcpus", text, 10n)).toBe(number);
  });
});
