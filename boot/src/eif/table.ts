/**
 * The reading by table: sections where the header's offsets and sizes say, as QEMU and Bottlerocket load them.
 * @module
 */
import type { EifFinding } from "./finding.ts";
import { hexNumber } from "./finding.ts";
import { parseSectionHeader } from "./header.ts";
import {
  EIF_HEADER_SIZE,
  EIF_MAX_SECTIONS,
  EIF_SECTION_HEADER_SIZE,
  type EifSource,
  eifSectionType,
  type UntrustedEifHeader,
  type UntrustedEifSection,
} from "./layout.ts";

/** What one way of reading finds. */
export interface SectionsFound {
  readonly sections: readonly UntrustedEifSection[];
  readonly findings: readonly EifFinding[];
  /** Whether the reading came to its end, so that the list holds all there is. */
  readonly complete: boolean;
}

/** Reads the sections that the table names, up to the first that is not there. */
export async function readTable(source: EifSource, header: UntrustedEifHeader): Promise<SectionsFound> {
  const sections: UntrustedEifSection[] = [];
  const findings: EifFinding[] = [];
  // Loaders refuse a longer table before they read it.
  if (header.sectionCount > EIF_MAX_SECTIONS) return { sections, findings, complete: false };
  for (let index = 0; index < header.sectionCount; index++) {
    const slot = { offset: header.sectionOffsets[index] ?? 0n, size: header.sectionSizes[index] ?? 0n };
    const outside = judgeSlot(slot, index, source.size);
    if (outside !== undefined) {
      findings.push(outside);
      return { sections, findings, complete: false };
    }
    const { section, finding } = await readSlot(source, Number(slot.offset), Number(slot.size), index);
    sections.push(section);
    if (finding !== undefined) findings.push(finding);
  }
  return { sections, findings, complete: true };
}

interface Slot {
  readonly offset: bigint;
  readonly size: bigint;
}

// In 64 unlimited bits, so that no sum wraps: a loader in C may see another one.
function judgeSlot({ offset, size }: Slot, section: number, fileSize: number): EifFinding | undefined {
  const end = offset + BigInt(EIF_SECTION_HEADER_SIZE) + size;
  if (offset >= EIF_HEADER_SIZE && end <= fileSize) return undefined;
  const intoHeader = offset < EIF_HEADER_SIZE;
  return {
    code: "BP-EIF-008",
    severity: "malformed",
    message: intoHeader
      ? `place ${section} of the table points into the file's header`
      : `place ${section} of the table points outside of the file`,
    section,
    offset: 0x1c + 8 * section,
    expected: intoHeader
      ? `an offset of ${hexNumber(EIF_HEADER_SIZE)} or more`
      : `an end of at most ${hexNumber(fileSize)}`,
    found: intoHeader ? hexNumber(offset) : hexNumber(end),
  };
}

async function readSlot(
  source: EifSource,
  headerOffset: number,
  size: number,
  index: number,
): Promise<{ section: UntrustedEifSection; finding: EifFinding | undefined }> {
  const bytes = await source.read(headerOffset, EIF_SECTION_HEADER_SIZE);
  const header = parseSectionHeader(bytes, headerOffset);
  const section = {
    type: eifSectionType(header.typeNumber),
    typeNumber: header.typeNumber,
    flags: header.flags,
    headerOffset,
    offset: headerOffset + EIF_SECTION_HEADER_SIZE,
    size,
  };
  if (header.size === BigInt(size)) return { section, finding: undefined };
  const finding: EifFinding = {
    code: "BP-EIF-009",
    severity: "ambiguous",
    message: `table and section header disagree about the size of section ${index}`,
    section: index,
    offset: headerOffset + 4,
    expected: `${size} as in the table`,
    found: `${header.size}`,
  };
  return { section, finding };
}
