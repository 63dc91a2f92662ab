import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { concatBytes, ParseError } from "@bootproof/bytes";
import { parseHashTableArea, parseResetAddress, parseSecretArea, parseSevFirmware } from "./firmware.ts";
import { parseGuidTable } from "./guid-table.ts";
import { parseSevMetadata } from "./sev-metadata.ts";
import { AMDSEV, changed, METADATA_AT, tail, tails } from "./tails.testing.ts";

const parse = (firmware: Uint8Array) => parseSevMetadata(firmware, parseGuidTable(firmware));
const code = (expected: string) => expect.objectContaining({ name: "ParseError", code: expected }) as Error;

describe("SEV metadata: the pages that a VMM prepares are the pages we measure", () => {
  it.each(tails)("reads sections and reset address of $name", ({ name, sections, resetAddress }) => {
    // svsm.bin's reset block says where its own processors start, after a fix-up that is not in the file.
    const firmware = tail(name);
    const parsed = parse(firmware);
    expect(parsed.sections.map(({ guestAddress, size, type }) => [guestAddress, size, type])).toEqual(
      sections,
    );
    expect(parsed.unread).toBe(0);
    expect(parsed.sections.map(({ index }) => index)).toEqual(sections.map((_, index) => index));
    if (name !== "svsm.bin") expect(parseResetAddress(parseGuidTable(firmware))).toBe(Number(resetAddress));
  });

  it("reads both guest areas", () => {
    const table = parseGuidTable(tail(AMDSEV));
    expect(parseHashTableArea(table)).toEqual({ offset: 3972, guestAddress: 0x810c00, size: 0x400 });
    expect(parseSecretArea(table)).toMatchObject({ guestAddress: 0x810000, size: 0xc00 });
  });

  it("names offsets in the whole image, not in its tail", () => {
    const whole = concatBytes(new Uint8Array(0x2000), tail(AMDSEV));
    const { metadata } = parseSevFirmware(whole);
    expect(metadata.offset).toBe(0x2000 + METADATA_AT);
    expect(metadata.sections[1]?.offset).toBe(0x2000 + METADATA_AT + 16 + 12);
  });

  it.each([
    ["a signature of another structure", METADATA_AT, 0x46445654, "BAD_MAGIC"],
    ["a version that QEMU does not know", METADATA_AT + 8, 2, "UNSUPPORTED"],
    ["a length beyond the image", METADATA_AT + 4, 0x555, "OUT_OF_RANGE"],
    ["a length of nothing", METADATA_AT + 4, 0, "OUT_OF_RANGE"],
    ["one section more than fits its length", METADATA_AT + 12, 8, "OUT_OF_RANGE"],
    ["four billion sections", METADATA_AT + 12, 0xffff_ffff, "OUT_OF_RANGE"],
    ["an offset of nothing", 0xf70 - 2, 0x0016_0000, "OUT_OF_RANGE"],
  ] as const)("refuses %s", (_what, offset, value, expected) => {
    expect(() => parse(changed(offset, value, 4))).toThrow(code(expected));
  });

  it("refuses more sections than any firmware has, even when they fit", () => {
    const image = concatBytes(new Uint8Array(0x1_0000), tail(AMDSEV));
    const view = new DataView(image.buffer);
    view.setUint32(0x1_0000 + 0xf6e, image.length, true);
    image.set(new TextEncoder().encode("ASEV"), 0);
    [image.length, 1, 1025].forEach((value, index) => view.setUint32(4 + index * 4, value, true));
    expect(() => parse(image)).toThrow(code("TOO_LARGE"));
  });

  it("keeps a section's address, size and type however senseless: whoever launches judges them", () => {
    const image = changed(METADATA_AT + 16, 0xffff_ffff, 4);
    expect(parse(image).sections[0]?.guestAddress).toBe(0xffff_ffff);
    expect(parse(changed(METADATA_AT + 24, 0x8000_0001, 4)).sections[0]).toMatchObject({
      type: 0x8000_0001,
      name: undefined,
    });
  });

  it("refuses a reset address of 0, as QEMU does", () => {
    expect(() => parseResetAddress(parseGuidTable(changed(0xfb8, 0, 4)))).toThrow(code("OUT_OF_RANGE"));
  });

  it("answers every change near the metadata with sections or ParseError", () => {
    const change = fc.tuple(fc.integer({ min: METADATA_AT, max: METADATA_AT + 120 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const image = tail(AMDSEV);
        for (const [offset, byte] of changes) image[offset] = byte;
        try {
          expect(parse(image).sections.length).toBeLessThanOrEqual(7);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
