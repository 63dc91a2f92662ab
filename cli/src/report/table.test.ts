import { describe, expect, it } from "vitest";

import { formatElapsed, formatSize, formatTable } from "./table.ts";

describe("tables", () => {
  it("align columns so that both people and awk can read them", () => {
    expect(
      formatTable(
        [
          ["a", "1"],
          ["long", "22"],
        ],
        ["name", "n"],
      ),
    ).toBe("NAME  N\na     1\nlong  22\n");
  });

  it("never let a cell's control characters or line breaks forge a row", () => {
    expect(formatTable([["a\nb", "\u001b[2Jx"]])).toBe("a b  \\u{1b}[2Jx\n");
  });

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [4 * 2 ** 20, "4 MiB"],
    [18_739, "18.3 KiB"],
  ])("show %i bytes as %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it.each([
    [400, "0.4 s"],
    [59_600, "1 min 00 s"],
    [12_345, "12 s"],
    [185_000, "3 min 05 s"],
  ])("show %i ms as %s", (elapsed, text) => {
    expect(formatElapsed(elapsed)).toBe(text);
  });
});
