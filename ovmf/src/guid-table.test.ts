import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { formatHex, ParseError } from "@bootproof/bytes";
import { findGuidEntry, openGuidEntry, parseGuidTable } from "./guid-table.ts";
import { RESET_BLOCK_GUID, SECRET_AREA_GUID, SEV_METADATA_GUID } from "./guids.ts";
import {
  AMDSEV,
  changed,
  RESET_LENGTH_AT,
  SECRET_LENGTH_AT,
  TABLE_LENGTH_AT,
  tail,
  tails,
} from "./tails.testing.ts";

const code = (expected: string) => expect.objectContaining({ name: "ParseError", code: expected }) as Error;

describe("GUIDed table: what QEMU finds in an image, we find", () => {
  it.each(tails)("reads every entry of $name", ({ name, tableLength, entries }) => {
    const table = parseGuidTable(tail(name));
    expect(table.length).toBe(tableLength);
    expect(table.unread).toBeUndefined();
    expect(Object.fromEntries(table.entries.map(({ guid, data }) => [guid, formatHex(data)]))).toEqual(
      entries,
    );
  });

  it("names where each entry's data lies", () => {
    const firmware = tail(AMDSEV);
    for (const { offset, data } of parseGuidTable(firmware).entries)
      expect(formatHex(firmware.subarray(offset, offset + data.length))).toBe(formatHex(data));
  });

  it("refuses images that QEMU takes for something else", () => {
    expect(() => parseGuidTable(tail(AMDSEV).subarray(1))).toThrow(code("TRUNCATED"));
    expect(() => parseGuidTable(new Uint8Array())).toThrow(code("TRUNCATED"));
    expect(() => parseGuidTable(changed(4096 - 33, 0, 1))).toThrow(code("BAD_MAGIC"));
    for (const length of [0, 17, 4096 - 31, 65535])
      expect(() => parseGuidTable(changed(TABLE_LENGTH_AT, length, 2))).toThrow(code("OUT_OF_RANGE"));
  });

  it("stops at the first entry without sense, and keeps what came before it, as QEMU does", () => {
    for (const length of [0, 17, 0xffff]) {
      const table = parseGuidTable(changed(SECRET_LENGTH_AT, length, 2));
      expect(table.entries.map(({ guid }) => guid)).toEqual([RESET_BLOCK_GUID]);
      expect(table.unread?.length).toBeGreaterThan(0);
      expect(() => openGuidEntry(table, SEV_METADATA_GUID, 4)).toThrow(code("MISSING"));
    }
    expect(parseGuidTable(changed(RESET_LENGTH_AT, 0, 2)).entries).toEqual([]);
    expect(parseGuidTable(changed(TABLE_LENGTH_AT, 18, 2)).entries).toEqual([]);
    expect(parseGuidTable(changed(TABLE_LENGTH_AT, 0x89, 2)).unread?.length).toBe(1);
  });

  it("refuses a lookup with two answers", () => {
    const image = tail(AMDSEV);
    image.set(image.subarray(0xfbe, 0xfce), 0xfa8);
    const table = parseGuidTable(image);
    expect(() => findGuidEntry(table, RESET_BLOCK_GUID)).toThrow(code("DUPLICATE"));
    expect(findGuidEntry(table, SECRET_AREA_GUID)).toBeUndefined();
  });

  it("refuses an entry whose data is shorter than its meaning", () => {
    const table = parseGuidTable(tail(AMDSEV));
    expect(() => openGuidEntry(table, RESET_BLOCK_GUID, 5)).toThrow(code("TRUNCATED"));
  });

  it("parses any bytes or throws ParseError, and never reads the same byte for two entries", () => {
    const size = { minLength: 4096, maxLength: 4200, size: "max" } as const;
    const change = fc.tuple(fc.integer({ min: 0xf50, max: 0xfdf }), fc.nat(255));
    const mutated = fc.array(change, { maxLength: 6 }).map((changes) => {
      const image = tail(AMDSEV);
      for (const [offset, byte] of changes) image[offset] = byte;
      return image;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(size), mutated), (bytes) => {
        try {
          const { entries, offset, length } = parseGuidTable(bytes);
          const used = entries.reduce((sum, { data }) => sum + data.length + 18, 0);
          expect(used).toBeLessThanOrEqual(length - 18);
          expect(offset).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
