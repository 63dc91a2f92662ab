import fc from "fast-check";
import { concatBytes, crc32, formatHex, parseBase64, sha384 } from "@bootproof/bytes";
import { EIF_SECTION_NUMBERS, encodeSectionHeader } from "@bootproof/boot/eif";
import { describe, expect, it } from "vitest";
import { EifHasher, joinEifDigests, type EifChain } from "./eif-hasher.ts";
import type { LoadedSection } from "./measure-bytes.ts";
import { imageNamed, sectionsOf } from "./vectors.testing.ts";

const image = imageNamed("ok-2rd");
const sections = sectionsOf(image);
const planned = sections.map(({ type, bytes }) => ({ type, size: bytes.length }));
const file = concatBytes(
  parseBase64(image.header!, "header"),
  ...sections.flatMap(({ type, bytes }) => [
    encodeSectionHeader({ typeNumber: EIF_SECTION_NUMBERS[type], flags: 0, size: BigInt(bytes.length) }),
    bytes,
  ]),
);

/** The same by definition: whole byte strings, hashed one by one. */
function plainly(all: readonly LoadedSection[]) {
  const first = all.findIndex(({ type }) => type === "ramdisk");
  const join = (wanted: (section: LoadedSection, index: number) => boolean) =>
    formatHex(sha384(concatBytes(...all.filter(wanted).map(({ bytes }) => bytes))));
  const base = ({ type }: LoadedSection): boolean => type === "kernel" || type === "cmdline";
  return {
    inner0: join((section) => base(section) || section.type === "ramdisk"),
    inner1: join((section, index) => base(section) || index === first),
    inner2: join(({ type }, index) => type === "ramdisk" && index !== first),
    sections: all.map(({ bytes }) => formatHex(sha384(bytes))),
  };
}

function hashed(hasher: EifHasher) {
  const { inner0, inner1, inner2, sections: all } = joinEifDigests(hasher.finish());
  return {
    inner0: formatHex(inner0),
    inner1: formatHex(inner1),
    inner2: formatHex(inner2),
    sections: all.map((section) => formatHex(section.sha384)),
  };
}

const anySections = fc.array(
  fc.record({
    type: fc.constantFrom("kernel", "cmdline", "ramdisk", "metadata", "signature" as const),
    bytes: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 8 },
);

describe("hashing an image in one pass: PCRs must not depend on how its bytes come", () => {
  it("finds the CRC that the header names, whatever the size of the chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (steps) => {
        const hasher = new EifHasher(planned);
        for (let at = 0, turn = 0; at < file.length; turn++) {
          const chunk = file.subarray(at, at + steps[turn % steps.length]!);
          hasher.update(chunk, at);
          at += chunk.length;
        }
        const { crc32: found, ...parts } = hasher.finish();
        expect(found!.toString(16)).toBe(image.crc32);
        expect(formatHex(parts.inner0!)).toBe(plainly(sections).inner0);
      }),
      { numRuns: 30 },
    );
  });

  it("is what hashing whole byte strings gives, for sections of any kind in any order", () => {
    fc.assert(
      fc.property(anySections, (all) => {
        const hasher = new EifHasher(
          all.map(({ type, bytes }) => ({ type, size: bytes.length })),
          { headers: false },
        );
        for (const { bytes } of all) hasher.update(bytes);
        if (all.length > 0) expect(hashed(hasher)).toEqual(plainly(all));
      }),
    );
  });

  it("gives the same when threads share the chains", () => {
    const part = (...chains: EifChain[]) => {
      const hasher = new EifHasher(planned, { chains });
      hasher.update(file);
      return hasher.finish();
    };
    const shared = joinEifDigests(part("image"), part("application"), part("sections"), part("crc"));
    const whole = new EifHasher(planned);
    whole.update(file);
    expect(shared).toEqual(joinEifDigests(whole.finish()));
    expect(() => joinEifDigests(part("image", "sections"))).toThrow(RangeError);
  });

  it("takes another CRC-32 in place of its own", () => {
    let calls = 0;
    const hasher = new EifHasher(planned, {
      crc32: (bytes, previous) => {
        calls++;
        return crc32(bytes, previous);
      },
    });
    hasher.update(file);
    expect(hasher.finish().crc32!.toString(16)).toBe(image.crc32);
    expect(calls).toBeGreaterThan(0);
  });

  it("refuses bytes out of order, too many and too few", () => {
    const fresh = (): EifHasher => new EifHasher(planned);
    expect(() => fresh().update(file.subarray(1), 1)).toThrow(RangeError);
    expect(() => fresh().update(concatBytes(file, Uint8Array.of(0)))).toThrow(RangeError);
    const short = fresh();
    short.update(file.subarray(0, -1));
    expect(() => short.finish()).toThrow(RangeError);
    for (const size of [-1, 0.5, NaN, 2 ** 60])
      expect(() => new EifHasher([{ type: "kernel", size }])).toThrow(RangeError);
  });
});
