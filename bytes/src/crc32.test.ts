import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32, joinCrc32 } from "./crc32.ts";
import { utf8 } from "./utf8.ts";

describe("CRC-32: an EIF with the wrong checksum does not boot", () => {
  it.each([
    ["", 0],
    ["a", 0xe8b7be43],
    ["123456789", 0xcbf43926],
    ["The quick brown fox jumps over the lazy dog", 0x414fa339],
  ])("of %j", (text, expected) => {
    expect(crc32(utf8(text))).toBe(expected);
  });

  it("agrees with zlib, whole and in pieces", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        const whole = zlibCrc32(bytes);
        expect(crc32(bytes)).toBe(whole);
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(whole);
      }),
    );
  });
});

describe("joined CRC-32: two threads hash an image and only one of them sees each byte", () => {
  it("agrees with zlib's of the whole, also with empty parts", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), fc.nat(70_000), (bytes, cut) => {
        const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)];
        expect(joinCrc32(zlibCrc32(first), zlibCrc32(second), second.length)).toBe(zlibCrc32(bytes));
      }),
    );
  });

  it("takes a second part of terabytes", () => {
    // CRCs of 2^n zeros, each of two halves.
    const zeros = [zlibCrc32(new Uint8Array(1))];
    while (zeros.length < 42) zeros.push(joinCrc32(zeros.at(-1)!, zeros.at(-1)!, 2 ** (zeros.length - 1)));
    expect(zeros[16]).toBe(zlibCrc32(new Uint8Array(2 ** 16)));
    expect(joinCrc32(zeros[40]!, zeros[41]!, 2 ** 41)).toBe(joinCrc32(zeros[41]!, zeros[40]!, 2 ** 40));
  });
});
