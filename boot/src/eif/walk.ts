/**
 * The reading by walking: section behind section from the end of the header to the end of the file, as AWS's reader
 * does, which never looks at the table.
 * @module
 */
import { type EifFinding, hexNumber } from "./finding.ts";
import { parseSectionHeader } from "./header.ts";
import {
  EIF_HEADER_SIZE,
  EIF_MAX_SECTIONS,
  EIF_SECTION_HEADER_SIZE,
  type EifSource,
  eifSectionType,
  type UntrustedEifSection,
} from "./layout.ts";
import type { SectionsFound } from "./table.ts";

/** Reads section behind section, up to the first that does not end inside the file. */
export async function readWalk(source: EifSource): Promise<SectionsFound> {
  const sections: UntrustedEifSection[] = [];
  let position = EIF_HEADER_SIZE;
  while (source.size - position >= EIF_SECTION_HEADER_SIZE) {
    // Empty sections take 12 bytes: without a limit, a file of 4 GiB has 350 million.
    if (sections.length === EIF_MAX_SECTIONS) return stop(sections, tooMany(position));
    const header = parseSectionHeader(await source.read(position, EIF_SECTION_HEADER_SIZE), position);
    const offset = position + EIF_SECTION_HEADER_SIZE;
    if (header.size > source.size - offset)
      return stop(sections, runsOut(sections.length, position, header.size, source.size - offset));
    const { typeNumber, flags } = header;
    const size = Number(header.size);
    sections.push({
      type: eifSectionType(typeNumber),
      typeNumber,
      flags,
      headerOffset: position,
      offset,
      size,
    });
    position = offset + size;
  }
  const tail = source.size - position;
  // Fewer bytes than a header has end every walk.
  return { sections, findings: tail === 0 ? [] : [endsInTail(position, tail)], complete: true };
}

function stop(sections: UntrustedEifSection[], finding: EifFinding): SectionsFound {
  return { sections, findings: [finding], complete: false };
}

function tooMany(offset: number): EifFinding {
  return {
    code: "BP-EIF-016",
    severity: "malformed",
    message: `more than ${EIF_MAX_SECTIONS} sections follow one another`,
    section: EIF_MAX_SECTIONS,
    offset,
    expected: `at most ${EIF_MAX_SECTIONS}`,
  };
}

function runsOut(section: number, headerOffset: number, size: bigint, left: number): EifFinding {
  return {
    code: "BP-EIF-016",
    severity: "malformed",
    message: `section ${section} does not end inside the file`,
    section,
    offset: headerOffset + 4,
    expected: `at most ${left} bytes`,
    found: `${size}`,
  };
}

function endsInTail(offset: number, length: number): EifFinding {
  return {
    code: "BP-EIF-012",
    severity: "ambiguous",
    message: `${length} bytes after the last section belong to nothing`,
    offset,
    expected: `the end of the file at ${hexNumber(offset)}`,
    found: `${length} more bytes`,
  };
}
