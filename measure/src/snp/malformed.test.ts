import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { concatBytes, ParseError } from "@bootproof/bytes";
import { buildMalformed, malformedBase, type MalformedVector } from "./malformed.testing.ts";
import { measureSnp } from "./measure-snp.ts";
import { vectors } from "./vectors.testing.ts";

const base = malformedBase;
const shape = { vcpus: 2, cpu: "EPYC-v4" };
const kernel = new Uint8Array(4096);

/** The digest, or the code of the ParseError; anything else fails the test. */
function outcome(firmware: Uint8Array, withKernel = false): { value: string; warnings: string[] } {
  try {
    const { registers, warnings } = measureSnp({ firmware, ...(withKernel && { kernel }) }, shape);
    return { value: registers["launchDigest"]!, warnings: warnings.map(({ code }) => code) };
  } catch (error) {
    if (error instanceof ParseError) return { value: error.code, warnings: [] };
    throw error;
  }
}

const isDigest = (value: string) => /^[0-9a-f]{96}$/.test(value);

describe("malformed firmware: no digest for an image that QEMU would not launch", () => {
  it.each(vectors<MalformedVector>("malformed.json"))("$name: $why", (vector) => {
    const { value, warnings } = outcome(buildMalformed(vector));
    expect(value).toBe(vector.want);
    for (const code of vector.warnings ?? []) expect(warnings).toContain(code);
    const booted = outcome(buildMalformed(vector), true).value;
    expect(isDigest(booted) ? "launches" : booted).toBe(vector.withKernel);
  });

  it("launches a table whose length reaches into data behind which QEMU stops reading", () => {
    // The same image as footer-size-65535, but large enough that the length fits: QEMU finds every entry.
    const large = concatBytes(new Uint8Array(0x1_0000), base);
    large.set([0xff, 0xff], large.length - 50);
    const { value, warnings } = outcome(large);
    expect(isDigest(value)).toBe(true);
    expect(warnings).toContain("BP-SNP-104");
  });

  it("refuses an image in which two entries give the AP reset address", () => {
    const image = base.slice();
    // The secret area's GUID becomes the reset block's.
    image.set(image.subarray(0xfbe, 0xfce), 0xfa8);
    expect(outcome(image).value).toBe("DUPLICATE");
  });

  it("refuses more section pages than it would hash in reasonable time, at once", () => {
    const image = base.slice();
    const metadata = image.length - 0x554;
    const view = new DataView(image.buffer);
    view.setUint32(metadata + 12, 1, true); // one section
    view.setUint32(metadata + 16, 0x1000, true);
    view.setUint32(metadata + 20, 0xff00_0000, true);
    const start = performance.now();
    expect(outcome(image).value).toBe("TOO_LARGE");
    expect(performance.now() - start).toBeLessThan(50);
  });

  it("refuses an image larger than QEMU takes", () => {
    expect(outcome(new Uint8Array(16 * 1024 * 1024 + 4096)).value).toBe("TOO_LARGE");
  });

  it("never throws anything but ParseError, whatever bytes it is given", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000, size: "max" }), fc.boolean(), (bytes, boot) => {
        outcome(bytes, boot);
      }),
    );
  });

  it("answers every change of up to four bytes with a digest or ParseError", () => {
    // The table and the metadata, where a change means something, and anywhere.
    const place = fc.oneof(
      fc.integer({ min: 0xf50, max: 0xfdf }),
      fc.integer({ min: 4096 - 0x554, max: 4096 - 0x554 + 100 }),
      fc.nat(4095),
    );
    const change = fc.tuple(place, fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, boot) => {
        const image = base.slice();
        for (const [offset, byte] of changes) image[offset] = byte;
        const { value } = outcome(image, boot);
        // A changed byte is measured: an image that still launches has another digest.
        if (isDigest(value) && !boot) {
          const same = image.every((byte, offset) => byte === base[offset]);
          expect(value === outcome(base).value).toBe(same);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it("answers every truncation with ParseError", () => {
    for (let length = 0; length < base.length; length += 64)
      expect(isDigest(outcome(base.subarray(0, length)).value)).toBe(false);
  });
});
