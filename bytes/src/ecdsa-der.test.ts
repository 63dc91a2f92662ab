import { createSign, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEcdsaDer } from "./ecdsa-der.ts";
import { formatHex, parseHex } from "./hex.ts";
import { ParseError } from "./parse-error.ts";

const parse = (hex: string): string => formatHex(parseEcdsaDer(parseHex(hex, "DER"), 2));
const code = (hex: string): string => {
  try {
    return parse(hex);
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
};

describe("DER signatures: one spelling, or a signature could be changed without being broken", () => {
  it("pads short numbers and drops the zero in front of a high bit", () => {
    expect(parse("300602010102017f")).toBe("0001007f");
    expect(parse("3008020200800202" + "0102")).toBe("00800102");
    expect(parse("300a" + "0203008000" + "020300ffff")).toBe("8000ffff");
  });

  it.each([
    ["", "TRUNCATED"],
    ["30", "TRUNCATED"],
    ["3006020101", "TRUNCATED"],
    ["3106020101020101", "BAD_MAGIC"],
    ["3006030101020101", "BAD_MAGIC"],
    ["308106020101020101", "NOT_CANONICAL"],
    ["3080020101020101", "NOT_CANONICAL"],
    ["30050200020101", "OUT_OF_RANGE"],
    ["3006020180020101", "OUT_OF_RANGE"],
    ["300702020001020101", "NOT_CANONICAL"],
    ["30080203010000020101", "TOO_LARGE"],
    ["3009020101020101020101", "TRAILING"],
    ["300602010102010100", "TRAILING"],
    ["30030201010201", "TRAILING"],
    ["30050201010201", "TRUNCATED"],
  ])("refuses %s: %s", (hex, expected) => {
    expect(code(hex)).toBe(expected);
  });

  it("reads every signature that OpenSSL writes, and answers any change with another value or ParseError", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(1000), fc.nat(255), (message, place, byte) => {
        const der = new Uint8Array(createSign("sha384").update(message).sign(privateKey));
        const signature = formatHex(parseEcdsaDer(der, 48));
        const changed = der.slice();
        const at = place % der.length;
        if (changed[at] === byte) return;
        changed[at] = byte;
        try {
          expect(formatHex(parseEcdsaDer(changed, 48))).not.toBe(signature);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });

  it("answers any bytes with a signature or ParseError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          expect(parseEcdsaDer(bytes, 48)).toHaveLength(96);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});
