import fc from "fast-check";
import { ParseError, utf8, type ParseErrorCode } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { readArMembers, type ArMember } from "./ar.ts";
import { arOf } from "./deb.testing.ts";

const list = (bytes: Uint8Array): Promise<ArMember[]> =>
  readArMembers({
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
  });

const good = arOf({ name: "debian-binary", bytes: utf8("2.0\n") }, { name: "odd/", bytes: utf8("abc") });

describe("reading ar", () => {
  it("finds every member, whichever way its name ends", async () => {
    expect(await list(good)).toEqual([
      { name: "debian-binary", offset: 68, size: 4 },
      { name: "odd", offset: 132, size: 3 },
    ]);
  });

  it("finds nothing in an empty archive", async () => {
    expect(await list(utf8("!<arch>\n"))).toEqual([]);
  });

  it.each<[string, Uint8Array, ParseErrorCode]>([
    ["nothing at all", new Uint8Array(), "TRUNCATED"],
    ["another magic", utf8("!<thin>\n"), "BAD_MAGIC"],
    ["half a header", good.subarray(0, 40), "TRUNCATED"],
    ["content cut off", good.subarray(0, 134), "TRUNCATED"],
    ["the last padding cut off", good.subarray(0, 135), "TRUNCATED"],
    ["another header end", arOf({ name: "a", bytes: utf8("x"), end: "\n`" }), "BAD_MAGIC"],
    ["a size with a sign", arOf({ name: "a", bytes: utf8("x"), sizeField: "+1" }), "NOT_CANONICAL"],
    ["a size in hex", arOf({ name: "a", bytes: utf8("x"), sizeField: "0x1" }), "NOT_CANONICAL"],
    ["a size with leading zeros", arOf({ name: "a", bytes: utf8("x"), sizeField: "01" }), "NOT_CANONICAL"],
    ["no size", arOf({ name: "a", bytes: utf8("x"), sizeField: "" }), "NOT_CANONICAL"],
    ["a size beyond the end", arOf({ name: "a", bytes: utf8("x"), sizeField: "9999999999" }), "TRUNCATED"],
    ["padding that is no newline", arOf({ name: "a", bytes: utf8("x"), padding: "x" }), "OUT_OF_RANGE"],
    ["a GNU long-name table", arOf({ name: "//", bytes: utf8("x") }), "OUT_OF_RANGE"],
    ["a name with a slash", arOf({ name: "a/b", bytes: utf8("x") }), "OUT_OF_RANGE"],
    ["no name", arOf({ name: "", bytes: utf8("x") }), "OUT_OF_RANGE"],
    ["a name twice", arOf({ name: "a", bytes: utf8("x") }, { name: "a/", bytes: utf8("y") }), "DUPLICATE"],
    [
      "more members than any package has",
      arOf(...Array.from({ length: 17 }, (_, index) => ({ name: `m${index}`, bytes: new Uint8Array() }))),
      "TOO_LARGE",
    ],
  ])("refuses %s", async (_, bytes, code) => {
    await expect(list(bytes)).rejects.toMatchObject({ name: "ParseError", code });
  });

  it("lists members or throws ParseError, whatever the bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        for (const input of [bytes, Uint8Array.from([...utf8("!<arch>\n"), ...bytes])])
          await list(input).catch((cause: unknown) => expect(cause).toBeInstanceOf(ParseError));
      }),
    );
  });

  it("lists members within the archive or throws ParseError, whichever byte is changed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (place, byte) => {
        const changed = good.slice();
        changed[place] = byte;
        const members = await list(changed).catch((cause: unknown) => {
          expect(cause).toBeInstanceOf(ParseError);
          return [];
        });
        for (const { offset, size } of members) expect(offset + size).toBeLessThanOrEqual(changed.length);
      }),
    );
  });
});
