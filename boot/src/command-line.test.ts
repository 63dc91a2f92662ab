import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { utf8 } from "@bootproof/bytes";
import { commandLineNotes, parseCommandLine } from "./command-line.ts";

describe("command line: nobody is surprised by a byte that they did not see", () => {
  it.each([
    ["console=ttyS0 quiet", []],
    ["", []],
    ["quiet\n", ["ends with a newline"]],
    [" quiet", ["white space"]],
    ["quiet\t", ["white space"]],
    ["quiet\0rest", ["NUL"]],
    ["x".repeat(2048), ["2048 bytes"]],
  ])("says of %j: %j", (text, expected) => {
    const notes = commandLineNotes(utf8(text));
    expect(notes).toHaveLength(expected.length);
    expected.forEach((part, index) => expect(notes[index]).toContain(part));
  });

  it("splits as the kernel does: at white space outside quotes, up to --", () => {
    expect(
      parseCommandLine('root=/dev/vda  ro dyndbg="file a.c +p" "init=/bin/a b" x=1=2 -- single'),
    ).toEqual([
      { name: "root", value: "/dev/vda" },
      { name: "ro", value: undefined },
      { name: "dyndbg", value: "file a.c +p" },
      { name: "init", value: "/bin/a b" },
      { name: "x", value: "1=2" },
    ]);
    expect(parseCommandLine('a="never closed b')).toEqual([{ name: "a", value: "never closed b" }]);
  });

  it("has an answer for any text, in time that grows with its length", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseCommandLine(text).length).toBeLessThanOrEqual(text.length);
      }),
    );
    const start = performance.now();
    parseCommandLine('"'.repeat(100_000) + 'a"'.repeat(50_000));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
