import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { shellCommands } from "./shell-words.ts";

const split = (text: string): string[][] =>
  shellCommands(text).map((words) => words.map((word) => word.text));
const expansions = (text: string): string[] =>
  shellCommands(text).flatMap((words) =>
    words.flatMap(({ expansion }) => (expansion === undefined ? [] : [expansion.what])),
  );

describe("shell words", () => {
  it.each<[string, string, string[][]]>([
    ["words by spaces and tabs", "a  b\tc", [["a", "b", "c"]]],
    ["spaces in single quotes", "a 'b  c'", [["a", "b  c"]]],
    ["spaces in double quotes", 'a "b  c"', [["a", "b  c"]]],
    ["quotes within a word", `a'b 'c"d e"f`, [["ab cd ef"]]],
    ["an empty word", `a '' ""`, [["a", "", ""]]],
    ["a quote in the other kind", `'"' "'"`, [['"', "'"]]],
    ["an escaped space", "a\\ b", [["a b"]]],
    ["a backslash in single quotes as itself", "'a\\b'", [["a\\b"]]],
    ["escapes that double quotes know", '"\\$\\`\\"\\\\"', [['$`"\\']]],
    ["escapes that double quotes do not know", '"\\n\\a"', [["\\n\\a"]]],
    ["a continued line", "a \\\n  b", [["a", "b"]]],
    ["a continued line of a file from Windows", "a \\\r\n  b\r\n", [["a", "b"]]],
    ["a word over a continued line", "a\\\nb", [["ab"]]],
    ["a continued line in double quotes", '"a\\\nb"', [["ab"]]],
    ["a line break in quotes", "'a\nb'", [["a\nb"]]],
    ["a comment", "a # b 'c\nd", [["a"], ["d"]]],
    ["a # in a word", "a#b", [["a#b"]]],
    ["commands by ; and line", "a; b\nc", [["a"], ["b"], ["c"]]],
    ["commands by operators", "a && b || c | d & e", [["a"], ["b"], ["c"], ["d"], ["e"]]],
    ["a subshell", "(a b)", [["a", "b"]]],
    ["redirections, which are no words", "a > b c 2>&1 d <e f &>g h", [["a", "c", "d", "f", "h"]]],
    ["a redirection by number", "a 2> b 3", [["a", "3"]]],
    ["a $ that expands nothing", 'a $ "b$" c$', [["a", "$", "b$", "c$"]]],
  ])("keeps %s", (_, text, words) => {
    expect(split(text)).toEqual(words);
  });

  it.each<[string, string]>([
    ["$OVMF", "$OVMF"],
    ['"$OVMF/x"', "$OVMF"],
    ["${OVMF}", "${OVMF}"],
    ["`id`", "`"],
    ['"`id`"', "`"],
    ["$(id)", "$("],
    ['"$(id)"', "$("],
    ["~/x", "~"],
    ["$'a\\n'", "$"],
    ["$1", "$1"],
    ["$@", "$"],
    ["<(id)", "<("],
  ])("says that a shell would expand %s", (text, what) => {
    expect(expansions(text)).toEqual([what]);
  });

  it.each(["'$OVMF'", "'`id`'", "\\$OVMF", "a~", '"~"', '"\\`"'])(
    "says nothing of %s, which no shell expands",
    (text) => {
      expect(expansions(text)).toEqual([]);
    },
  );

  it.each<[string, string, number]>([
    ["an open single quote", "a 'b", 2],
    ["an open double quote", 'é "b', 3],
    ["a backslash at the end", "a \\", 2],
  ])("refuses %s where it begins", (_, text, offset) => {
    expect(() => shellCommands(text)).toThrow(
      expect.objectContaining({ name: "ParseError", code: "TRUNCATED", offset }) as Error,
    );
  });

  it.each<[string, string]>([
    ["too much text", " ".repeat(1024 * 1024 + 1)],
    ["a word longer than the kernel passes", "a".repeat(128 * 1024 + 1)],
    ["more words than any program has", "a ".repeat(8193)],
  ])("refuses %s", (_, text) => {
    expect(() => shellCommands(text)).toThrow(expect.objectContaining({ code: "TOO_LARGE" }) as Error);
  });

  it("reads back words that are quoted as libvirt's log quotes them", () => {
    const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        expect(split(words.map(quote).join(" "))).toEqual([words]);
      }),
    );
  });

  it("reads any text or refuses it with its place", () => {
    const pieces = fc.constantFrom(
      "'",
      '"',
      "\\",
      "$",
      "`",
      "(",
      ")",
      "<",
      ">",
      "&",
      "\n",
      " ",
      "#",
      "~",
      "a",
      "é",
      "2",
    );
    fc.assert(
      fc.property(
        fc.array(pieces).map((all) => all.join("")),
        (text) => {
          try {
            shellCommands(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
        },
      ),
    );
  });
});
