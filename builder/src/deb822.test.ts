import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readDeb822, readDeb822Paragraph } from "./deb822.ts";

const TEXT = `Package: bash
Version: 5.2
Description: a shell
 of two lines
 .
# a comment
Size:12

Package:   gcc  
Depends: libc6,
 cpp

`;

async function read(
  text: string | Uint8Array,
  pieceSize = 1_000_000,
  wanted?: readonly string[],
): Promise<Record<string, string>[]> {
  const bytes = typeof text === "string" ? utf8(text) : text;
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceSize) }, (_, index) =>
    bytes.slice(index * pieceSize, (index + 1) * pieceSize),
  );
  const found: Record<string, string>[] = [];
  for await (const paragraph of readDeb822(pieces, wanted)) found.push(Object.fromEntries(paragraph));
  return found;
}

const PARAGRAPHS = [
  { Package: "bash", Version: "5.2", Description: "a shell\nof two lines\n.", Size: "12" },
  { Package: "gcc", Depends: "libc6,\ncpp" },
];

it("paragraphs come as written, wherever the pieces of the file are cut", async () => {
  for (const size of [1, 2, 3, 7, 64, 10_000]) expect(await read(TEXT, size)).toEqual(PARAGRAPHS);
});

it("only the wanted fields are kept, in any case of their names", async () => {
  expect(await read(TEXT, 5, ["size", "PACKAGE"])).toEqual([
    { Package: "bash", Size: "12" },
    { Package: "gcc" },
  ]);
});

it("empty lines at the start, between and at the end make no paragraphs", async () => {
  expect(await read("\n\n\nA: 1\n\n\n\nB: 2\n\n\n")).toEqual([{ A: "1" }, { B: "2" }]);
  expect(await read("")).toEqual([]);
});

it.each([
  ["a line without a colon", "Package bash\n", "BAD_ENCODING"],
  ["a field without a name", ": x\n", "BAD_ENCODING"],
  ["a field name with a space", "A b: x\n", "BAD_ENCODING"],
  ["a field name that starts with a hyphen", "-A: x\n", "BAD_ENCODING"],
  ["a continuation before any field", " x\n", "BAD_ENCODING"],
  ["a continuation after an empty line", "A: 1\n\n x\n", "BAD_ENCODING"],
  ["a field twice", "A: 1\na: 2\n", "DUPLICATE"],
  ["an end in the middle of a line", "A: 1", "TRUNCATED"],
  ["a line without end", `A: ${"x".repeat(1_100_000)}\n`, "TOO_LARGE"],
  ["a line without end nor line break", `A: ${"x".repeat(1_100_000)}`, "TOO_LARGE"],
])("control data with %s is refused", async (_, text, code) => {
  await expect(read(text)).rejects.toThrow(expect.objectContaining({ name: "ParseError", code }));
});

it("broken UTF-8 in a kept field is refused", async () => {
  await expect(read(new Uint8Array([0x41, 0x3a, 0xff, 0x0a]))).rejects.toThrow(ParseError);
});

it("Release is exactly one paragraph", async () => {
  expect((await readDeb822Paragraph(utf8("A: 1\n"), "Release")).get("A")).toBe("1");
  await expect(readDeb822Paragraph(utf8(TEXT), "Release")).rejects.toThrow("expected one paragraph, found 2");
  await expect(readDeb822Paragraph(utf8("\n"), "Release")).rejects.toThrow(ParseError);
});

it("any bytes are paragraphs or a ParseError, and the cuts never matter", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .array(fc.constantFrom("A", "b: ", ":", "\n", " ", "\t", "#", ".", "é"), { maxLength: 40 })
      .map((words) => utf8(words.join(""))),
  );
  const outcome = async (input: Uint8Array, size: number) =>
    read(input, size).catch((error: unknown) => {
      expect(error).toBeInstanceOf(ParseError);
      return String(error);
    });
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (input, size) => {
      expect(await outcome(input, size)).toEqual(await outcome(input, 1000));
    }),
  );
});

it("any change of one byte is paragraphs or a ParseError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(TEXT.length - 1), fc.nat(255), async (at, value) => {
      const bytes = utf8(TEXT);
      bytes[at] = value;
      await read(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(ParseError));
    }),
  );
});
