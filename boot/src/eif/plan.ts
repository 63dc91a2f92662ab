/**
 * The headers of an EIF to be written: where each section goes and what stands before it. The sections' own bytes stay
 * where they are, so that an image of any size is written as a stream.
 * @module
 */
import { encodeEifHeader, encodeSectionHeader } from "./header.ts";
import { EIF_VERSIONS } from "./judge-header.ts";
import {
  EIF_CRC_OFFSET,
  EIF_FLAG_AARCH64,
  EIF_HEADER_SIZE,
  EIF_MAX_SECTIONS,
  EIF_SECTION_HEADER_SIZE,
  EIF_SECTION_NUMBERS,
  type EifArchitecture,
  type EifSectionType,
} from "./layout.ts";
import { judgeSections } from "./rules.ts";

/** The version of the format that is written unless another is asked for. */
export const EIF_VERSION = 4;
/** What AWS's tools write; nothing uses it. */
const DEFAULT_MEMORY = 1n << 30n;
const DEFAULT_CPUS = 2n;

/** A section to be written. */
export interface PlannedSection {
  readonly type: EifSectionType;
  /** Length in bytes. */
  readonly size: number;
}

/** What is to be written. */
export interface EifPlanInput {
  readonly architecture: EifArchitecture;
  /** In the order of the file, unless `order` is "aws". */
  readonly sections: readonly PlannedSection[];
  /** 4 unless told: an older file that is signed anew stays what it is. */
  readonly version?: number | undefined;
  readonly defaultMemory?: bigint | undefined;
  readonly defaultCpus?: bigint | undefined;
  /** "aws" (kernel, cmdline, metadata, ramdisks, signature; the default), or the order of `sections`. */
  readonly order?: "aws" | "given" | undefined;
}

/** A section with its place in the file. */
export interface PlacedSection extends PlannedSection {
  /** Which of the given sections this is. */
  readonly index: number;
  /** The 12 bytes before the section's own. */
  readonly header: Uint8Array;
  /** Where the 12 bytes start. */
  readonly headerOffset: number;
  /** Where the section's own bytes start. */
  readonly offset: number;
}

/** Everything of an EIF but the sections' bytes and the CRC. */
export interface EifPlan {
  /** The header; the CRC in it is zero. */
  readonly header: Uint8Array;
  /** In the order of the file: each one's header, then its bytes. */
  readonly sections: readonly PlacedSection[];
  /** Length of the file in bytes. */
  readonly size: number;
  /** Where the CRC (u32, big endian) goes: over the header before it, then over all sections with their headers. */
  readonly crcOffset: number;
}

/** Plans an EIF; throws RangeError for sections that make none. */
export function planEif(input: EifPlanInput): EifPlan {
  const indexed = input.sections.map((section, index) => ({ ...section, index }));
  const ordered = input.order === "given" ? indexed : sortAsAws(indexed);
  const version = input.version ?? EIF_VERSION;
  checkPlan(ordered, version);
  const sections = place(ordered);
  const last = sections.at(-1);
  return {
    header: encodeEifHeader({
      version,
      flags: input.architecture === "aarch64" ? EIF_FLAG_AARCH64 : 0,
      defaultMemory: input.defaultMemory ?? DEFAULT_MEMORY,
      defaultCpus: input.defaultCpus ?? DEFAULT_CPUS,
      reserved: 0,
      sectionCount: sections.length,
      sectionOffsets: sections.map(({ headerOffset }) => BigInt(headerOffset)),
      sectionSizes: sections.map(({ size }) => BigInt(size)),
      unused: 0,
      crc32: 0,
    }),
    sections,
    size: last === undefined ? EIF_HEADER_SIZE : last.offset + last.size,
    crcOffset: EIF_CRC_OFFSET,
  };
}

// As eif_build and nitro-cli lay files out.
const AWS_ORDER: readonly EifSectionType[] = ["kernel", "cmdline", "metadata", "ramdisk", "signature"];

type Indexed = PlannedSection & { readonly index: number };

function sortAsAws(sections: readonly Indexed[]): readonly Indexed[] {
  return sections.toSorted((a, b) => AWS_ORDER.indexOf(a.type) - AWS_ORDER.indexOf(b.type));
}

function checkPlan(sections: readonly Indexed[], version: number): void {
  if (sections.length > EIF_MAX_SECTIONS)
    throw new RangeError(`an EIF has at most ${EIF_MAX_SECTIONS} sections, not ${sections.length}`);
  for (const { type, size } of sections)
    if (!Number.isSafeInteger(size) || size < (type === "cmdline" ? 0 : 1))
      throw new RangeError(`a ${type} section cannot have ${size} bytes`);
  if (!EIF_VERSIONS.includes(version)) throw new RangeError(`version ${version} of the format is not public`);
  const fault = judgeSections(sections, version).find(({ severity }) => severity !== "notice");
  if (fault !== undefined) throw new RangeError(`these sections make no EIF: ${fault.message}`);
}

function place(sections: readonly Indexed[]): PlacedSection[] {
  let headerOffset = EIF_HEADER_SIZE;
  return sections.map((section) => {
    const offset = headerOffset + EIF_SECTION_HEADER_SIZE;
    const header = encodeSectionHeader({
      typeNumber: EIF_SECTION_NUMBERS[section.type],
      flags: 0,
      size: BigInt(section.size),
    });
    const placed = { ...section, header, headerOffset, offset };
    headerOffset = offset + section.size;
    return placed;
  });
}
