import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { concatBytes, ParseError } from "@bootproof/bytes";
import { describeFirmware } from "./describe.ts";
import { enclosingSection } from "./enclosing-section.ts";
import { findVolumes, parseVolume } from "./firmware-volume.ts";
import { buildVolume, FFS2 } from "./firmware-volume.testing.ts";
import { AMDSEV, changed, METADATA_AT, tail } from "./tails.testing.ts";

const SEC_CORE = "df1ccef6-f301-4a63-9661-fc6030dcc880";
const OTHER = "01234567-89ab-cdef-0123-456789abcdef";
const volume = buildVolume(0x2000, [
  { guid: SEC_CORE, type: 3, size: 1001 },
  { guid: OTHER, type: 7, size: 0x400 },
]);
const image = concatBytes(new Uint8Array(0x1000).fill(0xff), volume, tail(AMDSEV));

describe("firmware volumes: a difference between two builds has a name", () => {
  it("finds volumes and their files", () => {
    const [found, more] = findVolumes(image);
    expect(more).toBeUndefined();
    expect(found).toMatchObject({ fileSystem: FFS2, offset: 0x1000, length: 0x2000 });
    expect(found?.files).toEqual([
      { guid: SEC_CORE, name: "SEC core", type: 3, offset: 0x1048, length: 1001 },
      { guid: OTHER, name: undefined, type: 7, offset: 0x1048 + 1008, length: 0x400 },
    ]);
  });

  it.each([
    [0, "firmware image"],
    [0x1000, "FFS2 firmware volume"],
    [0x1048, `FFS2 firmware volume, file ${SEC_CORE} (SEC core)`],
    [0x1048 + 1000, `FFS2 firmware volume, file ${SEC_CORE} (SEC core)`],
    [0x1048 + 1001, "FFS2 firmware volume"],
    [0x1048 + 1008, `FFS2 firmware volume, file ${OTHER}`],
    [0x3000 + METADATA_AT, "SEV metadata signature"],
    [0x3000 + METADATA_AT + 16, "SEV metadata section 0 (SNP_SEC_MEM)"],
    [0x3000 + 0xfb8, "GUIDed table entry SEV-ES reset block"],
    [0x3000 + 0xfdf, "GUIDed table footer"],
    [0x3000 + 0xff0, "reset vector"],
    [0x3fff, "reset vector"],
  ])("names the place of byte 0x%x: %s", (offset, name) => {
    const section = enclosingSection(image, offset);
    expect(section?.name).toBe(name);
    expect(section!.offset <= offset && offset < section!.offset + section!.length).toBe(true);
  });

  it("names no place outside the image, and says as much of a file that is no firmware", () => {
    for (const offset of [-1, image.length, 0.5, Number.NaN])
      expect(enclosingSection(image, offset)).toBeUndefined();
    expect(enclosingSection(new Uint8Array(100), 5)?.name).toBe("firmware image");
    expect(enclosingSection(Uint8Array.of(1), 0)?.name).toBe("reset vector");
  });

  it("refuses a volume header that is damaged or claims more than there is", () => {
    const at = (offset: number, value: number) => {
      const bytes = volume.slice();
      bytes[offset] = value;
      return bytes;
    };
    expect(() => parseVolume(at(0x28, 0), 0)).toThrow(ParseError);
    expect(() => parseVolume(at(0x22, 1), 0)).toThrow(ParseError);
    expect(() => parseVolume(at(0x2c, 1), 0)).toThrow(
      expect.objectContaining({ code: "BAD_DIGEST" }) as Error,
    );
    expect(() => parseVolume(volume.subarray(0, 0x30), 0)).toThrow(ParseError);
    expect(findVolumes(at(0x2c, 1))).toEqual([]);
  });

  it("finds nothing that overlaps or leaves the image, whatever bytes it is given", () => {
    const change = fc.tuple(fc.nat(image.length - 1), fc.nat(255));
    const header = fc.tuple(fc.integer({ min: 0x1000, max: 0x1080 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(fc.oneof(change, header), { maxLength: 6 }), (changes) => {
        const bytes = image.slice();
        for (const [offset, byte] of changes) bytes[offset] = byte;
        for (const { offset, length, files } of findVolumes(bytes)) {
          expect(offset + length).toBeLessThanOrEqual(bytes.length);
          for (const file of files) expect(file.offset + file.length).toBeLessThanOrEqual(offset + length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("describing firmware: inspect shows what there is and what is wrong with it", () => {
  it("describes a sound image without problems", () => {
    const description = describeFirmware(tail(AMDSEV));
    expect(description.problems).toEqual([]);
    expect(description).toMatchObject({
      size: 4096,
      sha256: "8f765dfabc127fc0a938a0744a3103ec15864d7d794eb4c398aa976b6d6ab16c",
      guestAddress: 0xffff_f000,
      resetAddress: 0x80b004,
      hashTable: { guestAddress: 0x810c00, size: 0x400 },
    });
    expect(description.sevMetadata?.sections).toHaveLength(7);
  });

  it("lists every problem and still shows the rest", () => {
    const broken = changed(METADATA_AT + 8, 2, 4);
    new DataView(broken.buffer).setUint32(0xfb8, 0, true);
    const { problems, hashTable, sevMetadata } = describeFirmware(broken);
    expect(problems).toHaveLength(2);
    expect(sevMetadata).toBeUndefined();
    expect(hashTable?.size).toBe(0x400);
  });

  it("throws only ParseError, and that only for what has no GUIDed table", () => {
    const change = fc.tuple(fc.integer({ min: 0xa00, max: 4095 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const bytes = tail(AMDSEV);
        for (const [offset, byte] of changes) bytes[offset] = byte;
        try {
          describeFirmware(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 300 },
    );
    expect(() => describeFirmware(new Uint8Array(5000))).toThrow(ParseError);
  });
});
