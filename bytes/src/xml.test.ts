import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "./parse-error.ts";
import { parseXml } from "./xml.ts";

const GOOD = `<?xml version="1.0"?><a b="1&gt;2"><!-- <x> --><c>one</c><c><![CDATA[<two>]]></c> &amp; </a>`;

const parsesOrRefuses = (text: string): void => {
  try {
    parseXml(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
  }
};

describe("XML of strangers: a tree, or ParseError", () => {
  it("keeps names, attributes and exact text", () => {
    const root = parseXml(GOOD);
    expect(root).toMatchObject({ name: "a", attributes: { b: "1>2" }, text: "one<two> & " });
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ["c", "one"],
      ["c", "<two>"],
    ]);
  });

  it.each([
    ["nothing", "", "BAD_ENCODING"],
    ["a document type", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "UNSUPPORTED"],
    ["an entity that nobody declared", "<a>&b;</a>", "BAD_ENCODING"],
    ["an element that does not end", "<a><b></a>", "BAD_ENCODING"],
    ["two roots", "<a/><b/>", "BAD_ENCODING"],
    ["an attribute twice", `<a b="1" b="2"/>`, "BAD_ENCODING"],
    ["more levels than we recurse", "<a>".repeat(65) + "</a>".repeat(65), "TOO_LARGE"],
    ["more than a megabyte", `<a>${" ".repeat(1024 * 1024)}</a>`, "TOO_LARGE"],
  ])("refuses %s", (_, text, code) => {
    expect(() => parseXml(text)).toThrow(expect.objectContaining({ code }));
  });

  it("parses or refuses any text, and any change of one that is good", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), parsesOrRefuses));
    fc.assert(
      fc.property(fc.nat(GOOD.length - 1), fc.string({ maxLength: 3 }), (at, put) =>
        parsesOrRefuses(GOOD.slice(0, at) + put + GOOD.slice(at + 1)),
      ),
    );
  });
});
