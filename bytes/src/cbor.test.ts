import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeCbor, isCborMap, parseStrictCbor, type CborValue } from "./cbor.ts";
import { formatHex, parseHex } from "./hex.ts";
import { ParseError } from "./parse-error.ts";

const parse = (hex: string, lenient = false): CborValue =>
  parseStrictCbor(parseHex(hex, "test"), "test", { lenient });

// RFC 8949, appendix A, without floats and simple values that we refuse.
const EXAMPLES: readonly (readonly [string, CborValue])[] = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["1864", 100],
  ["1903e8", 1000],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000],
  ["1bffffffffffffffff", 18_446_744_073_709_551_615n],
  ["3bffffffffffffffff", -18_446_744_073_709_551_616n],
  ["20", -1],
  ["3863", -100],
  ["3903e7", -1000],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["c11a514b67b0", { tag: 1, value: 1_363_896_240 }],
  ["40", new Uint8Array()],
  ["4401020304", Uint8Array.of(1, 2, 3, 4)],
  ["60", ""],
  ["6449455446", "IETF"],
  ["62c3bc", "ü"],
  ["80", []],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["a0", new Map()],
  ["a201020304", new Map([[1, 2], [3, 4]])], // prettier-ignore
  ["a26161016162820203", new Map<string, CborValue>([["a", 1], ["b", [2, 3]]])], // prettier-ignore
];

const REJECTED: readonly (readonly [string, string, string])[] = [
  ["nothing", "", "TRUNCATED"],
  ["a value and a byte", "0000", "TRAILING"],
  ["23 in two bytes", "1817", "NOT_CANONICAL"],
  ["255 in three bytes", "1900ff", "NOT_CANONICAL"],
  ["65535 in five bytes", "1a0000ffff", "NOT_CANONICAL"],
  ["4294967295 in nine bytes", "1b00000000ffffffff", "NOT_CANONICAL"],
  ["a text whose length is written long", "780161", "NOT_CANONICAL"],
  ["a reserved head", "1c", "NOT_CANONICAL"],
  ["an indefinite integer", "1f", "NOT_CANONICAL"],
  ["indefinite bytes", "5f4101ff", "NOT_CANONICAL"],
  ["an indefinite array", "9f01ff", "NOT_CANONICAL"],
  ["an indefinite map", "bf0102ff", "NOT_CANONICAL"],
  ["a break alone", "ff", "NOT_CANONICAL"],
  ["a cut head", "19ff", "TRUNCATED"],
  ["cut bytes", "4401", "TRUNCATED"],
  ["an array of 2^64-1", "9bffffffffffffffff", "TRUNCATED"],
  ["a map without its last value", "a201020304".slice(0, -2), "TRUNCATED"],
  ["a key twice", "a201020103", "DUPLICATE"],
  ["a text key twice", "a2616101616102", "DUPLICATE"],
  ["bytes as a key", "a1410101", "UNSUPPORTED"],
  ["undefined", "f7", "UNSUPPORTED"],
  ["a half float", "f93c00", "UNSUPPORTED"],
  ["a double", "fb3ff199999999999a", "UNSUPPORTED"],
  ["simple value 20 in two bytes", "f814", "UNSUPPORTED"],
  ["text that is no UTF-8", "61ff", "BAD_ENCODING"],
  ["a tag that a number does not hold", "dbffffffffffffffff00", "OUT_OF_RANGE"],
  ["17 levels and one", `${"81".repeat(17)}00`, "TOO_LARGE"],
];

describe("CBOR: a signed structure must not mean two things", () => {
  it.each(EXAMPLES)("reads and writes %s as RFC 8949 does", (hex, value) => {
    expect(parse(hex)).toEqual(value);
    expect(formatHex(encodeCbor(value))).toBe(hex);
  });

  it.each(REJECTED)("refuses %s", (_, hex, code) => {
    expect(() => parse(hex)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("names the offset of what it refuses", () => {
    expect(() => parse("82001817")).toThrow("at offset 0x2: expected the shortest head, found 23 in 1 bytes");
  });

  it("takes what old writers write only when told to", () => {
    expect(parse("1817", true)).toBe(23);
    expect(parse("9f019f02ffff", true)).toEqual([1, [2]]);
    expect(parse("bf61615f4101420203ffff", true)).toEqual(new Map([["a", Uint8Array.of(1, 2, 3)]]));
    expect(parse("7f61616162ff", true)).toBe("ab");
    expect(() => parse("7f4161ff", true)).toThrow("a chunk of the same kind");
    expect(() => parse("7f7f6161ffff", true)).toThrow("a chunk of the same kind");
    expect(() => parse("9f01", true)).toThrow(expect.objectContaining({ code: "TRUNCATED" }) as Error);
  });

  it("keeps a key from standing twice in lenient reading too, however long its head", () => {
    expect(() => parse("a20102180103", true)).toThrow(
      expect.objectContaining({ code: "DUPLICATE" }) as Error,
    );
  });

  it("counts values, or a small document makes many of them", () => {
    const many = encodeCbor(Array.from({ length: 100 }, () => 0));
    expect(() => parseStrictCbor(many, "test", { maxItems: 100 })).toThrow("fewer values");
    expect(parseStrictCbor(many, "test", { maxItems: 101 })).toHaveLength(100);
  });

  it("survives a megabyte of brackets", () => {
    const deep = new Uint8Array(2 ** 20).fill(0x81);
    expect(() => parseStrictCbor(deep, "test")).toThrow("at most 16 levels");
    expect(() => parseStrictCbor(deep.fill(0xc1), "test")).toThrow("at most 16 levels");
  });

  it("keeps the order of a map, which is part of what was signed", () => {
    const value = parse("a203040102");
    expect(isCborMap(value) && [...value.keys()]).toEqual([3, 1]);
    expect(formatHex(encodeCbor(value))).toBe("a203040102");
  });

  it("does not write numbers that are no integers", () => {
    expect(() => encodeCbor(1.5)).toThrow(RangeError);
    expect(() => encodeCbor(2 ** 53)).toThrow(RangeError);
    expect(() => encodeCbor(1n << 64n)).toThrow(RangeError);
  });

  it("reads any bytes or says why not, and what it reads has one spelling", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, lenient) => {
        try {
          const value = parseStrictCbor(bytes, "test", { lenient });
          if (!lenient) expect(encodeCbor(value)).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("reads back whatever it wrote", () => {
    const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.bigInt({ min: 1n << 53n, max: (1n << 64n) - 1n }),
        fc.string({ unit: "binary" }),
        fc.uint8Array(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value")),
        fc
          .uniqueArray(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie("value")), {
            selector: ([key]) => key,
          })
          .map((entries) => new Map(entries)),
        fc.record({ tag: fc.nat(), value: tie("value") }),
      ),
    }));
    fc.assert(
      fc.property(value, (written) => {
        expect(parseStrictCbor(encodeCbor(written), "test")).toEqual(written);
      }),
    );
  });
});
