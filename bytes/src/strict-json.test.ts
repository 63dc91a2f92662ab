import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCanonicalJson } from "./canonical-json.ts";
import { ParseError } from "./parse-error.ts";
import { parseLocatedJson, parseStrictJson, type JsonValue } from "./strict-json.ts";
import { utf8 } from "./utf8.ts";

/** JSON whose numbers a double holds exactly. */
const exactJson = fc
  .json({ stringUnit: "grapheme" })
  .filter((text) => !/[0-9]{16}/.test(text) && !text.includes("e+"));

const parse = (text: string): JsonValue => parseStrictJson(utf8(text), "document");

function codeOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return "parsed";
}

describe("strict JSON: a signed document must not mean two things", () => {
  it.each([
    ["a key twice", '{"a":1,"a":2}', "DUPLICATE"],
    ["a key twice, once escaped", '{"a":1,"\\u0061":2}', "DUPLICATE"],
    ["a key twice, deep inside", '[{"x":{"a":1,"b":2,"a":1}}]', "DUPLICATE"],
    ["__proto__ twice", '{"__proto__":1,"__proto__":2}', "DUPLICATE"],
    ["two documents", "{}{}", "TRAILING"],
    ["text after the document", "1 x", "TRAILING"],
    ["a NUL after the document", "{}\0", "TRAILING"],
    ["nothing", "", "BAD_ENCODING"],
    ["only space", " \n", "BAD_ENCODING"],
    ["a byte order mark", "\ufeff{}", "BAD_ENCODING"],
    ["a trailing comma", "[1,]", "BAD_ENCODING"],
    ["a trailing comma in an object", '{"a":1,}', "BAD_ENCODING"],
    ["a missing comma", "[1 2]", "BAD_ENCODING"],
    ["a missing colon", '{"a" 1}', "BAD_ENCODING"],
    ["an open object", '{"a":1', "BAD_ENCODING"],
    ["an open string", '"abc', "BAD_ENCODING"],
    ["a bare word", "undefined", "BAD_ENCODING"],
    ["a single-quoted string", "'a'", "BAD_ENCODING"],
    ["a comment", "/**/1", "BAD_ENCODING"],
    ["a raw line feed in a string", '"a\nb"', "BAD_ENCODING"],
    ["an unknown escape", '"\\x41"', "BAD_ENCODING"],
    ["a short escape", '"\\u12"', "BAD_ENCODING"],
    ["a lone surrogate", '"\\ud800"', "BAD_ENCODING"],
    ["surrogates in the wrong order", '"\\udc00\\ud800"', "BAD_ENCODING"],
    ["a leading zero", "01", "TRAILING"],
    ["a leading plus", "+1", "BAD_ENCODING"],
    ["a bare minus", "-", "BAD_ENCODING"],
    ["a point without digits", "1.", "TRAILING"],
    ["hex", "0x10", "TRAILING"],
    ["NaN", "NaN", "BAD_ENCODING"],
    ["a number beyond a double", "1e999", "OUT_OF_RANGE"],
    ["an integer that a double rounds", "9007199254740993", "OUT_OF_RANGE"],
    ["a whole number beyond 2^53 in other clothes", "1e300", "OUT_OF_RANGE"],
    ["a no-break space between tokens", "[1,\u00a02]", "BAD_ENCODING"],
    ["33 levels", "[".repeat(34) + "]".repeat(34), "TOO_LARGE"],
    ["a depth bomb", "[".repeat(60_000), "TOO_LARGE"],
    ["more than 64 KiB", `"${"a".repeat(65_535)}"`, "TOO_LARGE"],
  ])("refuses %s", (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), "document")).toThrow(ParseError);
  });

  it("names the byte offset, not the letter's", () => {
    const offset = (): number | undefined => {
      try {
        parse('{"é":1,"é":2}');
      } catch (error) {
        return (error as ParseError).offset;
      }
      return undefined;
    };
    expect(offset()).toBe(8);
  });

  it("keeps __proto__ as an ordinary key", () => {
    const value = parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(value["polluted"]).toBeUndefined();
  });

  it("reads whatever JSON.stringify writes, as JSON.parse does", () => {
    fc.assert(
      fc.property(exactJson, fc.constantFrom(undefined, 1, "\t"), (text, indent) => {
        const laidOut = JSON.stringify(JSON.parse(text), undefined, indent);
        const plain = JSON.parse(laidOut) as unknown;
        expect(parse(laidOut)).toEqual(plain);
      }),
      { numRuns: 500 },
    );
  });

  it("reads any text as JSON.parse does, or refuses it", () => {
    const shards = fc.constantFrom(
      ...'{}[]:,"\\ \n0123456789.eE+-tfnua'.split(""),
      "true",
      "null",
      '"a":',
      "\\u00e9",
      "é",
      "\0",
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(shards, { maxLength: 12 }).map((parts) => parts.join("")),
      fc.json(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        if (codeOf(text) === "parsed") expect(parse(text)).toEqual(JSON.parse(text.toWellFormed()));
      }),
      { numRuns: 5000 },
    );
  });

  it("refuses only what it must of what JSON.parse accepts", () => {
    const shards = fc.constantFrom(
      '{"a":1}',
      "[1,2]",
      '"x"',
      "true",
      "0",
      "-1.5e-3",
      " ",
      '{"b":[{}]}',
      ",",
      "[",
      "]",
    );
    fc.assert(
      fc.property(fc.array(shards, { maxLength: 6 }), (parts) => {
        const text = parts.join("");
        let plain: unknown;
        try {
          plain = JSON.parse(text);
        } catch {
          expect(codeOf(text)).not.toBe("parsed");
          return;
        }
        expect(parse(text)).toEqual(plain);
      }),
      { numRuns: 3000 },
    );
  });

  it("parses or throws ParseError for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          parseStrictJson(bytes, "document");
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("canonical JSON: the same statement must give the same leaf", () => {
  it("sorts keys by UTF-16 code unit and leaves no space", () => {
    // The example of RFC 8785 section 3.2.3, in our reading: sorting is by code unit, so the emoji precedes U+FB33.
    const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
    const keys = [...formatCanonicalJson(value).matchAll(/:(\d)/g)].map(([, digit]) => Number(digit));
    expect(keys).toEqual([2, 4, 6, 7, 1, 5, 3]);
  });

  it("does not depend on the order in which keys were set", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "grapheme" }), fc.integer()),
        fc.infiniteStream(fc.nat()),
        (value, order) => {
          const shuffled = Object.entries(value)
            .map((entry) => [order.next().value, entry] as const)
            .sort(([a], [b]) => a - b)
            .map(([, entry]) => entry);
          expect(formatCanonicalJson(Object.fromEntries(shuffled))).toBe(formatCanonicalJson(value));
        },
      ),
    );
  });

  it("comes back as the same value and then the same text", () => {
    const values = exactJson.map((text) => JSON.parse(text) as JsonValue);
    fc.assert(
      fc.property(values, (value) => {
        const text = formatCanonicalJson(value);
        expect(formatCanonicalJson(parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });

  it("refuses what JSON cannot hold and leaves out what is undefined", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "\ud800"])
      expect(() => formatCanonicalJson(bad)).toThrow(RangeError);
    const optional = { b: undefined, a: 1 } as unknown as JsonValue;
    expect(formatCanonicalJson(optional)).toBe('{"a":1}');
  });
});

describe("where members of a document stand", () => {
  it("is where their key or value begins, or messages would point at another line", () => {
    const text = '{"a": [1,\n {"b": 2}], "c": {}}';
    const { value, places } = parseLocatedJson(utf8(text), "document");
    const at = (of: JsonValue, key: string): string => text.slice(places.get(of as object)?.get(key));
    const list = (value as { a: JsonValue[] }).a;
    expect(at(value, "a")).toMatch(/^"a"/);
    expect(at(value, "c")).toMatch(/^"c"/);
    expect(at(list, "0")).toMatch(/^1,/);
    expect(at(list, "1")).toMatch(/^\{"b"/);
    expect(at(list[1] ?? null, "b")).toMatch(/^"b"/);
  });

  it("is known for every object and list, with the value of the plain reader", () => {
    fc.assert(
      fc.property(exactJson, (text) => {
        const { value, places } = parseLocatedJson(utf8(text), "document");
        expect(value).toEqual(parse(text));
        const visit = (node: JsonValue): void => {
          if (typeof node !== "object" || node === null) return;
          expect([...(places.get(node)?.keys() ?? [])].sort()).toEqual(Object.keys(node).sort());
          Object.values(node).forEach(visit);
        };
        visit(value);
      }),
    );
  });
});
