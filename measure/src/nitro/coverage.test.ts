import fc from "fast-check";
import { parseSignatureSection } from "@bootproof/boot/eif";
import { formatHex, ParseError } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import type { CoverageRange } from "../coverage-map.ts";
import { mapMeasurement } from "../map-coverage.ts";
import { certificateRange } from "./certificate-range.ts";
import { measureSections, type LoadedSection } from "./measure-bytes.ts";
import { measureNitro } from "./measure-nitro.ts";
import { certificateOf, digestsOf, imageNamed, sectionsOf } from "./vectors.testing.ts";

const vector = imageNamed("signed-es384");
const sections = sectionsOf(vector);
const certificateDer = certificateOf(vector);
const signature = sections.find(({ type }) => type === "signature")!.bytes;
const measurement = measureSections(sections, { certificateDer });
const size = sections.reduce((sum, { bytes }) => sum + 12 + bytes.length, 548);
const [eif] = mapMeasurement(measurement, [
  { role: "eif", size },
  { role: "signature", size: signature.length, bytes: signature },
]).artifacts;

const rangeAt = (offset: number): CoverageRange =>
  eif!.ranges.find((range) => range.offset <= offset && offset < range.offset + range.length)!;

/** The section and its byte at an offset of the file; undefined in headers. */
function placeOf(offset: number): { index: number; at: number } | undefined {
  let start = 548;
  for (const [index, { bytes }] of sections.entries()) {
    start += 12;
    if (offset >= start && offset < start + bytes.length) return { index, at: offset - start };
    start += bytes.length;
  }
  return undefined;
}

const flip = (index: number, at: number, bit: number): LoadedSection[] =>
  sections.map((section, one) =>
    one === index ? { ...section, bytes: section.bytes.with(at, section.bytes[at]! ^ (1 << bit)) } : section,
  );

const changed = (other: Readonly<Record<string, string>>): string[] =>
  Object.entries(measurement.registers).flatMap(([name, value]) => (other[name] === value ? [] : [name]));

describe("coverage of images: a byte that no PCR sees is called so", () => {
  it("is right about every byte of every section, and says that no header is seen", () => {
    expect(eif).toMatchObject({ role: "eif", size });
    fc.assert(
      fc.property(fc.nat(size - 1), fc.nat(7), (offset, bit) => {
        const seen = [...new Set(rangeAt(offset).seen.map(({ register }) => register))].sort();
        const place = placeOf(offset);
        if (place === undefined) expect(seen).toEqual([]);
        else if (sections[place.index]!.type !== "signature")
          expect(seen).toEqual(
            changed(measureSections(flip(place.index, place.at, bit), { certificateDer }).registers),
          );
      }),
      { numRuns: 300 },
    );
  });

  it("finds the certificate in the signature: other bytes of it never change PCR8", () => {
    const range = certificateRange(signature)!;
    fc.assert(
      fc.property(fc.nat(signature.length - 1), fc.nat(7), (at, bit) => {
        try {
          const other = parseSignatureSection(signature.with(at, signature[at]! ^ (1 << bit)));
          const same = formatHex(other.certificateDer) === formatHex(certificateDer!);
          if (!same) expect(at >= range.offset && at < range.offset + range.length).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("finds a certificate in any bytes or none, and always inside of them", () => {
    const near = fc
      .tuple(fc.nat(signature.length - 1), fc.nat(255))
      .map(([at, byte]) => signature.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), near), (bytes) => {
        const range = certificateRange(bytes);
        if (range !== undefined) {
          expect(range.offset).toBeGreaterThan(0);
          expect(range.offset + range.length).toBeLessThanOrEqual(bytes.length);
        }
      }),
    );
  });

  it("maps parts that are files of their own", () => {
    const parts = sections.map(({ type, bytes }) => ({ role: type, size: bytes.length, bytes }));
    const { artifacts } = mapMeasurement(measurement, parts);
    const seen = artifacts.map(({ role, ranges }) => [
      role,
      [...new Set(ranges.flatMap((range) => range.seen.map(({ register }) => register)))].sort().join(),
    ]);
    expect(seen).toEqual([
      ["kernel", "PCR0,PCR1"],
      ["cmdline", "PCR0,PCR1"],
      ["metadata", ""],
      ["ramdisk 0", "PCR0,PCR1"],
      ["ramdisk 1", "PCR0,PCR2"],
      ["signature", "PCR8"],
    ]);
  });

  it("sees nothing of an image in debug mode", () => {
    const debug = measureNitro(digestsOf(sections), { debug: true });
    const [file] = mapMeasurement(debug, [{ role: "eif", size }]).artifacts;
    expect(file!.ranges).toEqual([
      { offset: 0, length: size, seen: [], why: expect.stringContaining("debug") as string },
    ]);
  });

  it("says in short which inputs no PCR sees", () => {
    const unseen = measurement.coverage.notCovered.map(({ input }) => input);
    expect(unseen).toEqual(
      expect.arrayContaining([
        "EIF header and section headers",
        "metadata",
        "architecture",
        "where one section ends and the next begins",
      ]),
    );
  });
});
