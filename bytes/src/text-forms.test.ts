import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBase64, parseBase64 } from "./base64.ts";
import { concatBytes, equalBytes, firstDifference } from "./compare.ts";
import { parseDecimal } from "./decimal.ts";
import { asDigest, formatDigest, parseDigest, sha384 } from "./digest.ts";
import { formatGuid, parseGuid } from "./guid.ts";
import { formatHex, parseHex, quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";
import { parseUtf8, utf8 } from "./utf8.ts";

const bytes = fc.uint8Array({ maxLength: 100 });
/** Text near the forms read here, and far from them. */
const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[A-Za-z0-9+/=_ -]{0,24}$/));

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return "read";
};

describe("base64: signed text must have one spelling", () => {
  it("agrees with Node's encoder and reads its own output back", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const text = formatBase64(value);
        expect(text).toBe(Buffer.from(value).toString("base64"));
        expect(parseBase64(text, "field")).toEqual(value);
      }),
    );
  });

  it("reads any text only if printing gives it back", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (codeOf(() => parseBase64(text, "field")) === "read")
          expect(formatBase64(parseBase64(text, "field"))).toBe(text);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    "A",
    "AA",
    "AAA",
    "A===",
    "====",
    "AA=A",
    "=AAA",
    "AB==",
    "AAB=",
    "AA==AA==",
    "AA==\n",
    " AA==",
    "A A=",
    "-_-_",
    "AAAé",
    "AA\0=",
  ])("refuses %j", (text) => {
    expect(codeOf(() => parseBase64(text, "field"))).toBe("BAD_ENCODING");
  });
});

describe("hex: read in any case, written in lower case", () => {
  it("agrees with Node's encoder and reads either case", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const text = formatHex(value);
        expect(text).toBe(Buffer.from(value).toString("hex"));
        expect(parseHex(text, "field")).toEqual(value);
        expect(parseHex(text.toUpperCase(), "field")).toEqual(value);
      }),
    );
  });

  it.each(["0", "0g", "0x00", " 00", "00\n", "０0", "a b ", "-1"])("refuses %j", (text) => {
    expect(codeOf(() => parseHex(text, "field"))).toBe("BAD_ENCODING");
  });

  it("quotes hostile text on one short line", () => {
    expect(quote("a\nb\u001b[31m")).toBe('"a\\nb\\u001b[31m"');
    expect(quote("x".repeat(1000)).length).toBeLessThan(90);
  });
});

describe("UTF-8: what was signed is what is shown", () => {
  it("reads back any well-formed text, byte order mark included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(parseUtf8(utf8(text), "field")).toBe(text.toWellFormed());
      }),
    );
    expect(parseUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), "field")).toBe("\ufeffa");
  });

  it.each([
    ["a stray continuation byte", [0x80]],
    ["a cut sequence", [0xe2, 0x82]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong NUL", [0xe0, 0x80, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["0xFF", [0xff]],
  ])("refuses %s", (_, broken) => {
    expect(codeOf(() => parseUtf8(Uint8Array.from(broken), "field"))).toBe("BAD_ENCODING");
  });
});

describe("decimal: one number, one spelling", () => {
  it("reads back any 63-bit number", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (value) => {
        expect(parseDecimal(String(value), "size")).toBe(value);
      }),
    );
  });

  it.each([
    "",
    "00",
    "01",
    "-0",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1\n",
    "0x10",
    "1e3",
    "1.0",
    "1_000",
    "١",
    "12345678901234567890",
  ])("refuses %j", (text) => {
    expect(codeOf(() => parseDecimal(text, "size"))).toBe("NOT_CANONICAL");
  });

  it("refuses what is larger than the caller allows", () => {
    expect(codeOf(() => parseDecimal("9223372036854775808", "size"))).toBe("OUT_OF_RANGE");
    expect(codeOf(() => parseDecimal("11", "size", 10n))).toBe("OUT_OF_RANGE");
    expect(parseDecimal("10", "size", 10n)).toBe(10n);
  });
});

describe("GUIDs: the wrong byte order finds no firmware table", () => {
  it("prints the UEFI specification's order", () => {
    // gEfiGlobalVariableGuid, UEFI 2.10 section 3.3.
    const raw = parseHex("61dfe48bca93d211aa0d00e098032b8c", "GUID");
    expect(formatGuid(raw)).toBe("8be4df61-93ca-11d2-aa0d-00e098032b8c");
    expect(parseGuid("8BE4DF61-93CA-11D2-AA0D-00E098032B8C", "GUID")).toEqual(raw);
  });

  it("reads back any 16 bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (raw) => {
        expect(parseGuid(formatGuid(raw), "GUID")).toEqual(raw);
      }),
    );
  });

  it.each([
    "",
    "8be4df6193ca11d2aa0d00e098032b8c",
    "{8be4df61-93ca-11d2-aa0d-00e098032b8c}",
    "8be4df61-93ca-11d2-aa0d-00e098032b8",
    "8be4df61-93ca-11d2-aa0d-00e098032b8g",
  ])("refuses %j", (text) => {
    expect(codeOf(() => parseGuid(text, "GUID"))).toBe("BAD_ENCODING");
  });

  it("calls other lengths our mistake", () => {
    expect(() => formatGuid(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe("digests and comparing", () => {
  it("keeps one algorithm's digest from passing for another's", () => {
    expect(codeOf(() => asDigest("sha256", sha384(utf8(""))))).toBe("OUT_OF_RANGE");
    const digest = sha384(utf8("x"));
    expect(parseDigest("sha384", ` sha384:${formatDigest(digest)} `)).toEqual(digest);
    expect(parseDigest("sha384", formatBase64(digest))).toEqual(digest);
    for (const bad of ["", "0x", "sha256:00", formatDigest(digest).slice(2)])
      expect(
        codeOf(() => parseDigest("sha384", bad)),
        bad,
      ).not.toBe("read");
  });

  it("reads any text as a digest or throws ParseError", () => {
    fc.assert(fc.property(anyText, (text) => codeOf(() => parseDigest("sha256", text)) !== ""));
  });

  it("finds the first difference, or says that there is none", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const at = firstDifference(a, b);
        expect(at === undefined).toBe(equalBytes(a, b));
        expect(equalBytes(a, a.slice())).toBe(true);
        if (at === undefined) return;
        expect(a.subarray(0, at)).toEqual(b.subarray(0, at));
        expect(a[at]).not.toBe(b[at]);
      }),
    );
    expect(firstDifference(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(1);
  });

  it("joins byte strings", () => {
    fc.assert(
      fc.property(fc.array(bytes), (parts) => {
        expect(concatBytes(...parts)).toEqual(new Uint8Array(Buffer.concat(parts)));
      }),
    );
  });
});
