/**
 * The section manifest beside PCRs: what of the registers follows from the sections, and how two images differ by theirs.
 * The subpath `@bootproof/measure/nitro/manifest`, so that whoever verifies loads no reader of images.
 * @module
 */
import { formatHex, parseHex, sha384 } from "@bootproof/bytes";
import type { EifSectionType } from "@bootproof/boot/eif";
import { pcrOf } from "./pcr.ts";
import { isMeasured, sectionNames } from "./section.ts";

/** A line of a manifest as documents hold it: digests in lower-case hex. */
export interface SectionLine {
  readonly type: EifSectionType;
  readonly size: number;
  readonly sha384: string;
}

/** A manifest as documents hold it. */
export const formatManifest = (
  sections: readonly (Omit<SectionLine, "sha384"> & { readonly sha384: Uint8Array })[],
): SectionLine[] =>
  sections.map(({ type, size, sha384: digest }) => ({ type, size, sha384: formatHex(digest) }));

/** PCR2 of an image with one ramdisk: the hash of no bytes is extended. */
export const NO_APPLICATION: string = formatHex(pcrOf(sha384(new Uint8Array())));

/**
 * What a publisher's registers say against the sections beside them; undefined when nothing does. With three ramdisks or
 * more nothing follows: the PCRs hash several sections as one string.
 */
export function contradictionWithManifest(
  registers: Readonly<Record<string, string>>,
  sections: readonly SectionLine[],
): string | undefined {
  const { PCR0, PCR1, PCR2 } = registers;
  const [first, second, third] = sections.filter(({ type }) => type === "ramdisk");
  if (first === undefined || third !== undefined) return undefined;
  if (second === undefined && PCR0 !== PCR1) return "one ramdisk, and PCR0 is not PCR1";
  const expected =
    second === undefined ? NO_APPLICATION : formatHex(pcrOf(parseHex(second.sha384, "section digest")));
  if (PCR2 === undefined || PCR2 === expected) return undefined;
  return second === undefined ? "one ramdisk, and PCR2 of others" : "PCR2 is not of the second ramdisk";
}

/** How the sections of two images compare. */
export interface ManifestComparison {
  /** `same`: every section; `unmeasured`: those that PCRs see are equal, in the same places; `differs`: one of those. */
  readonly outcome: "same" | "unmeasured" | "differs";
  /** The first section that decides it, in words: which, expected and found. */
  readonly first?: string;
}

/** Compares two manifests, the measured sections first: their order, sizes and digests. */
export function compareManifests(
  expected: readonly SectionLine[],
  found: readonly SectionLine[],
): ManifestComparison {
  const measured = firstDifference(named(expected, true), named(found, true));
  if (measured !== undefined) return { outcome: "differs", first: measured };
  const any = firstDifference(named(expected, false), named(found, false));
  if (any !== undefined) return { outcome: "unmeasured", first: any };
  return { outcome: "same" };
}

/** A line with its name among its kind: `kernel`, `ramdisk 0`. */
export interface NamedLine extends SectionLine {
  readonly name: string;
}

/** The lines whose data PCRs see, by name. */
export const measuredSections = (sections: readonly SectionLine[]): NamedLine[] => named(sections, true);

function named(sections: readonly SectionLine[], measuredOnly: boolean): NamedLine[] {
  const names = sectionNames(sections);
  const lines = sections.map((section, index) => ({ ...section, name: names[index] ?? "" }));
  return measuredOnly ? lines.filter(isMeasured) : lines;
}

function firstDifference(expected: readonly NamedLine[], found: readonly NamedLine[]): string | undefined {
  const count = Math.max(expected.length, found.length);
  for (let index = 0; index < count; index++) {
    const [want, have] = [expected[index], found[index]];
    if (want?.name !== have?.name)
      return `section ${index}: expected ${want?.name ?? "none"}, found ${have?.name ?? "none"}`;
    if (want === undefined || have === undefined) continue;
    if (want.size !== have.size) return `${want.name}: expected ${want.size} bytes, found ${have.size}`;
    if (want.sha384 !== have.sha384)
      return `${want.name}: expected sha384 ${want.sha384}, found ${have.sha384}`;
  }
  return undefined;
}
