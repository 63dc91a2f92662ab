import fc from "fast-check";
import { ParseError, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import type { TreeEntry } from "./tree.ts";
import { formatTree, parseTree } from "./tree-text.ts";

const name = fc.stringMatching(/^[a-zA-Z0-9._+ é\u{1f600}-]{1,12}$/u);
const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
  fc.record({ type: fc.constant("directory" as const) }),
  fc.record({ type: fc.constant("symlink" as const), target: name }),
  fc.record({
    type: fc.constant("file" as const),
    size: fc.nat(),
    sha256: hash,
    executable: fc.boolean(),
  }),
);

describe("a tree as text", () => {
  it("reads back as it was written", () => {
    fc.assert(
      fc.property(fc.dictionary(name, entry), (entries) => {
        const tree = new Map(Object.entries(entries));
        const text = formatTree(tree);
        expect(new Map([...parseTree(text)])).toEqual(tree);
        expect(formatTree(parseTree(text))).toEqual(text);
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["another header", "bootproof tree 2\n"],
    ["no last newline", "bootproof tree 1\nd\ta"],
    ["paths out of order", "bootproof tree 1\nd\tb\nd\ta\n"],
    ["a path twice", "bootproof tree 1\nd\ta\nd\ta\n"],
    ["an unknown kind", "bootproof tree 1\np\ta\n"],
    ["a field too many", "bootproof tree 1\nd\ta\tb\n"],
    ["a short hash", "bootproof tree 1\nf\tabc\t1\ta\n"],
    ["a negative size", `bootproof tree 1\nf\t${"0".repeat(64)}\t-1\ta\n`],
  ])("with %s is refused", (_, text) => {
    expect(() => parseTree(utf8(text))).toThrow(ParseError);
  });

  it("is read or refused by ParseError, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (bytes, text) => {
        for (const input of [bytes, utf8(`bootproof tree 1\n${text}\n`)])
          try {
            parseTree(input);
          } catch (cause) {
            expect(cause).toBeInstanceOf(ParseError);
          }
      }),
    );
  });
});
