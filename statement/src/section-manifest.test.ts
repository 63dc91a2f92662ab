import { formatHex, ParseError, sha384, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeBootMeasurement, readBootMeasurement } from "./boot-measurement.ts";
import { zeroValues, type PlatformMeasurements } from "./measurements.ts";
import { release } from "./releases.testing.ts";
import { formatStatement, parseStatement } from "./statement.ts";
import type { SectionDigest } from "./section-manifest.ts";

const digest = (text: string): string => formatHex(sha384(utf8(text)));
const section = (type: SectionDigest["type"], size = 7): SectionDigest => ({
  type,
  size,
  sha384: digest(`${type} ${size}`),
});
const sections = [section("kernel"), section("cmdline"), section("metadata"), section("ramdisk")];
const enclave: PlatformMeasurements = {
  platform: "nitro",
  shape: { architecture: "x86_64" },
  registers: { PCR0: digest("0"), PCR1: digest("1"), PCR2: digest("2") },
  sections,
};

function written(entry: unknown): PlatformMeasurements | undefined {
  const statement = makeBootMeasurement({ ...release, measurements: [entry as PlatformMeasurements] });
  return readBootMeasurement(parseStatement(formatStatement(statement))).predicate.measurements[0];
}

describe("the section manifest: a reader must be able to rely on where each section ends", () => {
  it("comes back as it was published", () => {
    expect(written(enclave)).toEqual(enclave);
    expect(written({ ...enclave, sections: undefined })).toMatchObject({ registers: enclave.registers });
  });

  it.each([
    ["another platform", { platform: "tdx" }],
    ["a register that no enclave has", { registers: { launchDigest: digest("0") } }],
    ["PCR32", { registers: { PCR32: digest("0") } }],
    ["a SHA-256", { registers: { PCR0: digest("0").slice(32) } }],
    ["no kernel", { sections: sections.slice(1) }],
    ["two kernels", { sections: [section("kernel"), ...sections] }],
    ["no command line", { sections: sections.filter(({ type }) => type !== "cmdline") }],
    ["no ramdisk", { sections: sections.slice(0, 3) }],
    [
      "33 sections",
      { sections: [...sections, ...Array<SectionDigest>(29).fill(section("ramdisk"))].concat(sections[3]!) },
    ],
    ["a section of no type", { sections: [...sections, { ...section("kernel"), type: "dtb" }] }],
    ["half a byte", { sections: [{ ...section("kernel"), size: 0.5 }, ...sections.slice(1)] }],
    ["a negative size", { sections: [{ ...section("kernel"), size: -1 }, ...sections.slice(1)] }],
    [
      "an upper-case digest",
      { sections: [{ ...section("kernel"), sha384: digest("k").toUpperCase() }, ...sections.slice(1)] },
    ],
    ["an offset", { sections: [{ ...section("kernel"), offset: 560 }, ...sections.slice(1)] }],
  ])("refuses %s", (_name, change) => {
    expect(() => written({ ...enclave, ...change })).toThrow(ParseError);
  });

  it("refuses zeros: registers of a debug enclave, and digests of nothing", () => {
    const zero = "0".repeat(96);
    for (const name of ["PCR0", "PCR8"])
      expect(() => written({ ...enclave, registers: { ...enclave.registers, [name]: zero } })).toThrow(
        /all-zero/,
      );
    const entry = { ...enclave, sections: [{ ...section("kernel"), sha384: zero }, ...sections.slice(1)] };
    expect(zeroValues(entry)).toEqual(["nitro section 0 (kernel)"]);
  });

  it("reads any list or throws ParseError", () => {
    const line = fc.record({
      type: fc.constantFrom("kernel", "cmdline", "ramdisk", "metadata", "signature", "other"),
      size: fc.oneof(fc.nat(), fc.double()),
      sha384: fc.constantFrom(digest("a"), "1", "01"),
    });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        try {
          expect(written({ ...enclave, sections: lines })).toMatchObject({ sections: lines });
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});
