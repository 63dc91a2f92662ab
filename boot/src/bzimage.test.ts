import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { ParseError, utf8 } from "@bootproof/bytes";
import { parseKernel } from "./bzimage.ts";

/** A kernel image with the header of protocol 2.15, built field by field from boot.rst. */
function buildKernel(): Uint8Array<ArrayBuffer> {
  const kernel = new Uint8Array(8 * 512);
  const view = new DataView(kernel.buffer);
  kernel.set(utf8("MZ"), 0);
  view.setUint32(0x3c, 0x80, true);
  kernel.set(utf8("PE\0\0"), 0x80);
  kernel[0x1f1] = 3;
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint32(0x1f4, 128, true);
  kernel.set(utf8("HdrS"), 0x202);
  view.setUint16(0x206, 0x020f, true);
  view.setUint16(0x20e, 0x400, true);
  kernel[0x211] = 1;
  kernel[0x234] = 1;
  view.setUint16(0x236, 0x2b, true);
  view.setUint32(0x238, 2047, true);
  view.setBigUint64(0x258, 0x100_0000n, true);
  view.setUint32(0x260, 0x200_0000, true);
  kernel.set(utf8("6.12.0 (builder@host) #1\0"), 0x600);
  return kernel;
}

const code = (expected: string) => expect.objectContaining({ name: "ParseError", code: expected }) as Error;

describe("kernel header: what a kernel says of itself", () => {
  it("reads every field of a current header", () => {
    expect(parseKernel(buildKernel())).toEqual({
      protocol: "2.15",
      setupSectors: 3,
      setupLength: 2048,
      declaredLength: 4096,
      loadedHigh: true,
      version: "6.12.0 (builder@host) #1",
      relocatable: true,
      xloadFlags: ["kernel64", "canBeLoadedAbove4G", "efiHandover64", "fiveLevel"],
      commandLineSize: 2047,
      preferredAddress: 0x100_0000n,
      initSize: 0x200_0000,
      efiStub: true,
    });
  });

  it("leaves out what an old protocol does not have, and takes 0 setup sectors for 4", () => {
    const kernel = buildKernel();
    kernel[0x206] = 0x01;
    kernel[0x1f1] = 0;
    kernel[0] = 0;
    expect(parseKernel(kernel)).toMatchObject({
      protocol: "2.01",
      setupSectors: 4,
      declaredLength: undefined,
      relocatable: undefined,
      xloadFlags: undefined,
      commandLineSize: undefined,
      preferredAddress: undefined,
      efiStub: false,
    });
  });

  it("is undefined for a file that is no kernel", () => {
    for (const other of [new Uint8Array(), utf8("\x7fELF"), new Uint8Array(4096)])
      expect(parseKernel(other)).toBeUndefined();
  });

  it("refuses a header that does not fit its file", () => {
    const kernel = buildKernel();
    expect(() => parseKernel(kernel.subarray(0, 2047))).toThrow(code("TRUNCATED"));
    expect(() => parseKernel(kernel.subarray(0, 0x206))).toThrow(code("TRUNCATED"));
    const flag = kernel.slice();
    flag[0x1ff] = 0;
    expect(() => parseKernel(flag)).toThrow(code("BAD_MAGIC"));
    const version = kernel.slice();
    version.fill(0x41, 0x600);
    expect(() => parseKernel(version)).toThrow(code("OUT_OF_RANGE"));
  });

  it("never passes control characters of a version on to a terminal", () => {
    const kernel = buildKernel();
    kernel.set(utf8("6.12\x1b[2Jé\0"), 0x600);
    expect(parseKernel(kernel)?.version).toBe("6.12?[2J??");
  });

  it("parses any change of a header or throws ParseError", () => {
    const change = fc.tuple(fc.integer({ min: 0x1f0, max: 0x268 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat(4096), (changes, length) => {
        const kernel = buildKernel();
        for (const [offset, byte] of changes) kernel[offset] = byte;
        try {
          parseKernel(kernel.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
