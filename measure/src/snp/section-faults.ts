/**
 * Everything about metadata sections that keeps an image from launching: the one list behind the engine, which
 * stops at the first, and the linter, which shows all. QEMU target/i386/sev.c (gpa2hva, sev_snp_launch_update);
 * Linux arch/x86/kvm/svm/sev.c (snp_launch_update refuses lengths of 0 or part of a page; a page already private
 * is refused a second time).
 * @module
 */
import { ParseError, type ParseErrorCode } from "@bootproof/bytes";
import type { SevMetadata, SevSection } from "@bootproof/ovmf";
import { PAGE_SIZE } from "./page-info.ts";

const FOUR_GIB = 0x1_0000_0000;
/** 64 MiB; images in use declare up to 0x9e pages, and a 4 GiB section would cost seconds of hashing. */
const MAX_PAGES = 16_384;

/** What is wrong with a section. */
export type SectionFaultKind =
  | "none"
  | "unaligned address"
  | "zero size"
  | "unaligned size"
  | "beyond 4 GiB"
  | "overlap"
  | "overlaps image"
  | "too many pages";

/** One reason not to launch. */
export interface SectionFault {
  readonly kind: SectionFaultKind;
  /** The section at fault; undefined when it is the list as a whole. */
  readonly section: SevSection | undefined;
  readonly error: ParseError;
}

/** `SEV metadata section 2 (CPUID)`, as errors, events and traces call it. */
export function sectionLabel({ index, name, type }: SevSection): string {
  return `SEV metadata section ${index} (${name ?? `type 0x${type.toString(16)}`})`;
}

/** Every fault, in the order in which the engine meets them. */
export function* sectionFaults(metadata: SevMetadata, firmwareSize: number): Generator<SectionFault> {
  const { sections, offset } = metadata;
  if (sections.length === 0)
    yield fault("none", undefined, "MISSING", "SEV metadata sections", {
      offset,
      expected: "at least a CPUID and a secrets page",
      found: "none",
    });
  for (const section of sections) yield* ownFaults(section);
  yield* overlaps(sections, FOUR_GIB - firmwareSize);
  const pages = sections.reduce((sum, { size }) => sum + size / PAGE_SIZE, 0);
  if (pages > MAX_PAGES)
    yield fault("too many pages", undefined, "TOO_LARGE", "SEV metadata sections", {
      offset,
      expected: `at most ${MAX_PAGES} pages`,
      found: `${Math.ceil(pages)}`,
    });
}

function* ownFaults(section: SevSection): Generator<SectionFault> {
  const { guestAddress, size, offset } = section;
  const wrong = (
    kind: SectionFaultKind,
    at: string,
    where: number,
    [expected, found]: [string, number],
  ): SectionFault =>
    fault(kind, section, "OUT_OF_RANGE", `${at} of ${sectionLabel(section)}`, {
      offset: where,
      expected,
      found: `0x${found.toString(16)}`,
    });
  if (guestAddress % PAGE_SIZE !== 0)
    yield wrong("unaligned address", "guest address", offset, ["a multiple of 0x1000", guestAddress]);
  if (size === 0) yield wrong("zero size", "size", offset + 4, ["at least one page", size]);
  if (size % PAGE_SIZE !== 0)
    yield wrong("unaligned size", "size", offset + 4, ["a multiple of 0x1000", size]);
  if (guestAddress + size > FOUR_GIB)
    yield wrong("beyond 4 GiB", "end", offset, ["at most 4 GiB", guestAddress + size]);
}

function* overlaps(sections: readonly SevSection[], firmwareStart: number): Generator<SectionFault> {
  const ascending = [...sections].sort((a, b) => a.guestAddress - b.guestAddress);
  for (const [index, section] of ascending.entries()) {
    const next = ascending[index + 1];
    const end = section.guestAddress + section.size;
    const limit = next?.guestAddress ?? firmwareStart;
    if (end <= limit) continue;
    const what = next === undefined ? "the firmware" : sectionLabel(next);
    yield fault(
      next === undefined ? "overlaps image" : "overlap",
      section,
      "OUT_OF_RANGE",
      `end of ${sectionLabel(section)}`,
      {
        offset: section.offset,
        expected: `at most 0x${limit.toString(16)}, the start of ${what}`,
        found: `0x${end.toString(16)}`,
      },
    );
  }
}

function fault(
  kind: SectionFaultKind,
  section: SevSection | undefined,
  code: ParseErrorCode,
  at: string,
  detail: { readonly offset: number; readonly expected: string; readonly found: string },
): SectionFault {
  return { kind, section, error: new ParseError(code, at, detail) };
}
