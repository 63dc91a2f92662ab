/**
 * The sections that are read whole: command line, metadata, signature.
 * @module
 */
import type { EifFinding } from "./finding.ts";
import type { EifSectionType, EifSource, UntrustedEifSection } from "./layout.ts";
import { EIF_MAX_METADATA_SIZE } from "./metadata.ts";
import { EIF_MAX_SIGNATURE_SIZE } from "./signature.ts";

/** Sections by kind; undefined when there is none, when there are several, and when one is too large. */
export interface SmallSections {
  readonly cmdline?: Uint8Array | undefined;
  readonly metadata?: Uint8Array | undefined;
  readonly signature?: Uint8Array | undefined;
}

/** Largest command line that is read; kernels take 2048 bytes. */
export const EIF_MAX_CMDLINE_SIZE: number = 2 ** 16;

const MAX_SIZES: Readonly<Partial<Record<EifSectionType, number>>> = {
  cmdline: EIF_MAX_CMDLINE_SIZE,
  metadata: EIF_MAX_METADATA_SIZE,
  signature: EIF_MAX_SIGNATURE_SIZE,
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
    code: section.type === "signature" ? "BP-EIF-039" : "BP-EIF-024",
    severity: section.type === "signature" ? "malformed" : "refused",
    message: `the ${section.type ?? "unknown"} section ${index} is too large`,
    section: index,
    offset: section.headerOffset + 4,
    expected: `at most ${limitOf(section)} bytes`,
    found: `${section.size}`,
  };
}
