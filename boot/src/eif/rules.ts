/**
 * Which sections an EIF must have, may have, and in which order.
 * aws-nitro-enclaves-image-format, "Enclave Image File (EIF) format": one kernel, one command line, at least one
 * ramdisk, ramdisks behind the kernel; one metadata section from version 4 on; at most one signature, from version 3 on.
 * @module
 */
import type { EifFinding } from "./finding.ts";
import type { EifSectionType } from "./layout.ts";

/** The lowest version in which a kind of section exists; the others have always been there. */
const SINCE: Readonly<Partial<Record<EifSectionType, number>>> = { signature: 3, metadata: 4 };

const FIRST_VERSION = 2;

/** What has a type and perhaps a place. */
interface Typed {
  readonly type: EifSectionType | undefined;
  readonly headerOffset?: number;
}

/** What is wrong with the kinds, numbers and order of sections; nothing when they make an EIF. */
export function judgeSections(sections: readonly Typed[], version: number): EifFinding[] {
  return [
    ...count(sections, "kernel", 1, 1),
    ...count(sections, "cmdline", 1, 1),
    ...count(sections, "ramdisk", 1, Infinity),
    // Before version 4 a file may have metadata or none: nothing says that the later kind was refused then.
    ...count(sections, "metadata", version >= 4 ? 1 : 0, 1),
    ...count(sections, "signature", 0, 1),
    ...judgeVersion(sections, version),
    ...judgeOrder(sections),
  ];
}

function count(sections: readonly Typed[], type: EifSectionType, least: number, most: number): EifFinding[] {
  const found = sections.filter((section) => section.type === type);
  if (found.length >= least && found.length <= most) return [];
  const expected = most === Infinity ? `at least ${least}` : least === most ? `${least}` : `at most ${most}`;
  const extra = found[most];
  return [
    {
      code: "BP-EIF-019",
      severity: "malformed",
      message: found.length < least ? `no ${type} section` : `more than one ${type} section`,
      section: extra === undefined ? undefined : sections.indexOf(extra),
      offset: extra?.headerOffset,
      expected,
      found: `${found.length}`,
    },
  ];
}

function judgeVersion(sections: readonly Typed[], version: number): EifFinding[] {
  // Of unpublished versions nobody knows what they have.
  if (version < FIRST_VERSION) return [];
  return sections.flatMap(({ type, headerOffset }, section) => {
    const since = type === undefined ? undefined : SINCE[type];
    if (since === undefined || version >= since) return [];
    return [
      {
        code: "BP-EIF-023" as const,
        // A loader that does not know a signature starts an image without PCR8; metadata nothing reads.
        severity: type === "metadata" ? ("notice" as const) : ("malformed" as const),
        message: `version ${version} has no ${type ?? ""} sections`,
        section,
        offset: headerOffset,
        expected: `version ${since} or later`,
        found: `${version}`,
      },
    ];
  });
}

function judgeOrder(sections: readonly Typed[]): EifFinding[] {
  const kernel = sections.findIndex(({ type }) => type === "kernel");
  const section = sections.findIndex(({ type }) => type === "ramdisk");
  if (kernel === -1 || section === -1 || section > kernel) return [];
  return [
    {
      code: "BP-EIF-021",
      severity: "malformed",
      message: "a ramdisk stands before the kernel",
      section,
      offset: sections[section]?.headerOffset,
      expected: "ramdisks behind the kernel",
    },
  ];
}
