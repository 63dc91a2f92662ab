import { parseGuid } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { describeFirmwares } from "./describe-firmware.ts";
import { suffix } from "./vectors.testing.ts";

const SUFFIX = suffix("ovmf_AmdSev_suffix.bin");
const FFS2 = "8c8ce578-8a3d-4f1c-9935-896185c32dd3";
const GUIDS = ["1", "2", "3"].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`);

interface File {
  readonly guid: string;
  readonly bytes: Uint8Array;
}

/** A firmware volume of 16 KiB with these files. */
function volume(files: readonly File[]): Uint8Array {
  const bytes = new Uint8Array(0x4000).fill(0xff);
  const view = new DataView(bytes.buffer);
  bytes.fill(0, 0, 0x48);
  bytes.set(parseGuid(FFS2, "file system"), 16);
  view.setBigUint64(32, BigInt(bytes.length), true);
  view.setUint32(40, 0x4856_465f, true); // _FVH
  view.setUint16(48, 0x48, true); // header length
  let sum = 0;
  for (let at = 0; at < 0x48; at += 2) sum += view.getUint16(at, true);
  view.setUint16(50, -sum & 0xffff, true);
  let offset = 0x48;
  for (const file of files) {
    const length = 24 + file.bytes.length;
    bytes.fill(0, offset, offset + 24);
    bytes.set(parseGuid(file.guid, "file"), offset);
    bytes.set([7, 0, length & 0xff, length >> 8, 0], offset + 18);
    bytes.set(file.bytes, offset + 24);
    offset = Math.ceil((offset + length) / 8) * 8;
  }
  return bytes;
}

const file = (index: number, byte = 0): File => ({
  guid: GUIDS[index]!,
  bytes: new Uint8Array(0x100).fill(0xaa).with(0x10, byte),
});

const image = (...files: readonly File[]): Uint8Array => new Uint8Array([...volume(files), ...SUFFIX]);

const said = (a: Uint8Array, b: Uint8Array): string[] => describeFirmwares(a, b).map(({ what }) => what);

describe("two images with firmware volumes", () => {
  it("name the file of the volume around the byte that differs", () => {
    expect(said(image(file(0), file(1)), image(file(0), file(1, 9)))).toEqual([
      `1 byte of FFS2 firmware volume, file ${GUIDS[1]!} differs`,
    ]);
  });

  it("name a file that only one of them has, not all that moved behind it", () => {
    const [first, ...others] = said(image(file(0), file(1)), image(file(0), file(2), file(1)));
    expect(first).toMatch(new RegExp(`^only B has the file ${GUIDS[2]!}, 280 bytes, in volume`));
    expect(others).toEqual([]);
  });

  it("name every part in which they differ, first things first", () => {
    const other = image(file(0, 1), file(1, 1)).with(0x4000 + 0xff8, 0);
    const list = said(image(file(0), file(1)), other);
    expect(list.map((what) => what.replace(/^.*?of /, ""))).toEqual([
      `FFS2 firmware volume, file ${GUIDS[0]!} differs`,
      `FFS2 firmware volume, file ${GUIDS[1]!} differs`,
      "reset vector differs",
    ]);
  });

  it("of different sizes are compared at their ends", () => {
    const [size, ...others] = describeFirmwares(image(file(0)), SUFFIX);
    expect(size?.a).toBe("20480 bytes from guest address 0xffffb000");
    expect(size?.details).toContain("they begin with the FFS2 firmware volume");
    expect(others).toEqual([]);
    const both = said(image(file(0)), SUFFIX.with(0xff8, 0));
    expect(both[1]).toBe("1 byte of reset vector differs");
  });

  it("never go without a word for a byte that differs, and never throw", () => {
    const bytes = image(file(0), file(1));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        expect(describeFirmwares(bytes, bytes.with(at, bytes[at]! ^ change))).not.toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (a, b) => {
        expect(() => describeFirmwares(a, b)).not.toThrow();
      }),
    );
  });
});
