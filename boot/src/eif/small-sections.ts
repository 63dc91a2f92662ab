/**
 * The sections that are read whole: command line, metadata, signature.
 * @module
 */
import type { EifFinding } from "./finding.ts";
import type { EifSectionType, EifSource, UntrustedEifSection } from "./layout.ts";

/** Sections by kind; undefined when there is none, when there are several, and when one is too large. */
export interface SmallSections {
  readonly cmdline?: Uint8Array | undefined;
  readonly metadata?: Uint8Array | undefined;
  readonly signature?: Uint8Array | undefined;
}

// Kernels take 2048 bytes; AWS's tools write no larger signature; metadata holds what `docker inspect` says.
const MAX_SIZES: Readonly<Partial<Record<EifSectionType, number>>> = {
  cmdline: 2 ** 16,
  metadata: 2 ** 20,
  signature: 2 ** 15,
};

/** The small sections and what is wrong with their sizes. */
export interface SmallSectionsFound {
  readonly sections: SmallSections;
  readonly findings: readonly EifFinding[];
}

/** Reads each small section that is there once and within its limit. */
export async function readSmallSections(
  source: EifSource,
  all: readonly UntrustedEifSection[],
): Promise<SmallSectionsFound> {
  const read = async (type: EifSectionType): Promise<Uint8Array | undefined> => {
    const [section, second] = all.filter((candidate) => candidate.type === type);
    if (section === undefined || second !== undefined || isTooLarge(section)) return undefined;
    return source.read(section.offset, section.size);
  };
  return {
    sections: {
      cmdline: await read("cmdline"),
      metadata: await read("metadata"),
      signature: await read("signature"),
    },
    findings: all.flatMap((section, index) => (isTooLarge(section) ? [tooLarge(section, index)] : [])),
  };
}

const limitOf = ({ type }: UntrustedEifSection): number =>
  (type === undefined ? undefined : MAX_SIZES[type]) ?? Infinity;

const isTooLarge = (section: UntrustedEifSection): boolean => section.size > limitOf(section);

function tooLarge(section: UntrustedEifSection, index: number): EifFinding {
  return {
    code: "BP-EIF-024",
    severity: section.type === "signature" ? "malformed" : "refused",
    message: `the ${section.type ?? "unknown"} section ${index} is too large`,
    section: index,
    offset: section.headerOffset + 4,
    expected: `at most ${limitOf(section)} bytes`,
    found: `${section.size}`,
  };
}
