/**
 * Whether both ways of reading find the same file. AWS's `describe-eif` walks, loaders follow the table: where the two
 * differ, a file is described as one image and boots as another, and its CRC can be right for both.
 * @module
 */
import { type EifFinding, hexNumber } from "./finding.ts";
import { EIF_HEADER_SIZE, type UntrustedEifSection } from "./layout.ts";

/** What keeps the table's sections and the walk's from being the same; nothing when they are. */
export function compareReadings(
  table: readonly UntrustedEifSection[],
  walk: readonly UntrustedEifSection[],
  fileSize: number,
): EifFinding[] {
  return [
    ...judgeOrder(table),
    ...judgeSpace(table, walk, fileSize),
    ...missing(walk, table).map(({ section, index }) => hidden(section, index)),
    ...missing(table, walk).map(({ section, index }) => onlyInTable(section, index)),
  ];
}

/** The table must name each section once, in the order of the file: loaders measure in the order of the table. */
function judgeOrder(table: readonly UntrustedEifSection[]): EifFinding[] {
  const section = table.findIndex(
    ({ headerOffset }, index) => index > 0 && headerOffset <= (table[index - 1]?.headerOffset ?? 0),
  );
  if (section === -1) return [];
  const twice = table.slice(0, section).some((other) => other.headerOffset === table[section]?.headerOffset);
  return [
    {
      code: "BP-EIF-015",
      severity: "ambiguous",
      message: twice
        ? `place ${section} of the table names a section for the second time`
        : `the table names sections in another order than the file has them`,
      section,
      offset: 0x1c + 8 * section,
    },
  ];
}

/** Every byte behind the header must belong to one section of the table. */
function judgeSpace(
  table: readonly UntrustedEifSection[],
  walk: readonly UntrustedEifSection[],
  fileSize: number,
): EifFinding[] {
  const findings: EifFinding[] = [];
  let position = EIF_HEADER_SIZE;
  const sorted = table
    .map((section, index) => ({ section, index }))
    .toSorted((a, b) => a.section.headerOffset - b.section.headerOffset);
  for (const { section, index } of sorted) {
    if (section.headerOffset > position) findings.push(gap(position, section.headerOffset, index));
    if (section.headerOffset < position) findings.push(overlap(section, position, index));
    position = Math.max(position, section.offset + section.size);
  }
  // Fewer than 12 bytes the walk has named already.
  const walked = walk.at(-1);
  const end = walked === undefined ? EIF_HEADER_SIZE : walked.offset + walked.size;
  if (position < fileSize && position !== end) findings.push(tail(position, fileSize));
  return findings;
}

interface Indexed {
  readonly section: UntrustedEifSection;
  readonly index: number;
}

/** The sections of one list that are not in the other. */
function missing(from: readonly UntrustedEifSection[], other: readonly UntrustedEifSection[]): Indexed[] {
  const keys = new Set(other.map(({ headerOffset, size }) => `${headerOffset} ${size}`));
  return from
    .map((section, index) => ({ section, index }))
    .filter(({ section: { headerOffset, size } }) => !keys.has(`${headerOffset} ${size}`));
}

const describe = ({ type, typeNumber, size }: UntrustedEifSection): string =>
  `${type ?? `type ${typeNumber}`} section of ${size} bytes`;

function hidden(section: UntrustedEifSection, index: number): EifFinding {
  return {
    code: "BP-EIF-013",
    severity: "ambiguous",
    message: `a ${describe(section)} that the table does not name: a reader that walks measures it, a loader does not`,
    section: index,
    offset: section.headerOffset,
  };
}

function onlyInTable(section: UntrustedEifSection, index: number): EifFinding {
  return {
    code: "BP-EIF-014",
    severity: "ambiguous",
    message: `a ${describe(section)} that only the table names: a loader measures it, a reader that walks does not meet it`,
    section: index,
    offset: section.headerOffset,
  };
}

function gap(from: number, to: number, section: number): EifFinding {
  return {
    code: "BP-EIF-011",
    severity: "ambiguous",
    message: `${to - from} bytes before section ${section} belong to no section of the table`,
    section,
    offset: from,
    expected: `section ${section} at ${hexNumber(from)}`,
    found: hexNumber(to),
  };
}

function overlap({ headerOffset }: UntrustedEifSection, end: number, section: number): EifFinding {
  return {
    code: "BP-EIF-010",
    severity: "ambiguous",
    message: `section ${section} starts inside another section`,
    section,
    offset: headerOffset,
    expected: `${hexNumber(end)} or later`,
    found: hexNumber(headerOffset),
  };
}

function tail(from: number, fileSize: number): EifFinding {
  return {
    code: "BP-EIF-012",
    severity: "ambiguous",
    message: `${fileSize - from} bytes after the last section of the table belong to no section of it`,
    offset: from,
    expected: `the end of the file at ${hexNumber(from)}`,
    found: `${fileSize - from} more bytes`,
  };
}
