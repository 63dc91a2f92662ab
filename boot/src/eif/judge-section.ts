/**
 * What is wrong with a section alone: its type, its flags, its emptiness.
 * @module
 */
import { type EifFinding, hexNumber } from "./finding.ts";
import type { UntrustedEifSection } from "./layout.ts";

/** What is wrong with a section alone. */
export function judgeEach(sections: readonly UntrustedEifSection[]): EifFinding[] {
  return sections.flatMap((section, index) => [
    ...judgeType(section, index),
    ...judgeFlags(section, index),
    ...judgeEmpty(section, index),
  ]);
}

function judgeType({ type, typeNumber, headerOffset }: UntrustedEifSection, section: number): EifFinding[] {
  if (type !== undefined) return [];
  return [
    {
      code: "BP-EIF-017",
      severity: "malformed",
      message: `section ${section} is of type ${typeNumber}, which no version has`,
      section,
      offset: headerOffset,
      expected: "1 to 5",
      found: `${typeNumber}`,
    },
  ];
}

function judgeFlags({ flags, headerOffset }: UntrustedEifSection, section: number): EifFinding[] {
  if (flags === 0) return [];
  return [
    {
      code: "BP-EIF-018",
      severity: "malformed",
      message: `section ${section} has flags, and none are defined`,
      section,
      offset: headerOffset + 2,
      expected: "0",
      found: hexNumber(flags),
    },
  ];
}

// QEMU refuses empty sections of every kind but this: a kernel may have its command line built in.
function judgeEmpty({ type, size, headerOffset }: UntrustedEifSection, section: number): EifFinding[] {
  if (size > 0) return [];
  return [
    {
      code: "BP-EIF-022",
      severity: type === "cmdline" ? "notice" : "malformed",
      message: `the ${type ?? "unknown"} section ${section} is empty`,
      section,
      offset: headerOffset,
    },
  ];
}
