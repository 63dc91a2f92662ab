/**
 * Which metadata sections QEMU and KVM can launch. What they refuse has no launch digest, whatever other tools
 * print. QEMU target/i386/sev.c (gpa2hva, sev_snp_launch_update); Linux arch/x86/kvm/svm/sev.c
 * (snp_launch_update refuses lengths of 0 or part of a page; a page already private is refused a second time).
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { SEV_SECTION_TYPE, type SevMetadata, type SevSection } from "@bootproof/ovmf";
import type { MeasureWarning } from "../measurement.ts";
import { PAGE_SIZE } from "./page-info.ts";

const FOUR_GIB = 0x1_0000_0000;
/** Below this q35 has RAM in every configuration with enough memory; above it depends on the machine's size. */
const TWO_GIB = 0x8000_0000;
/** 64 MiB; images in use declare up to 0x9e pages, and a 4 GiB section would cost seconds of hashing. */
const MAX_PAGES = 16_384;

/** Demands that QEMU can launch every section, or throws {@link ParseError}; returns what is odd but launches. */
export function checkSections(metadata: SevMetadata, firmwareSize: number): MeasureWarning[] {
  const { sections } = metadata;
  if (sections.length === 0)
    throw new ParseError("MISSING", "SEV metadata sections", {
      offset: metadata.offset,
      expected: "at least a CPUID and a secrets page",
    });
  for (const section of sections) checkSection(section);
  checkOverlap(sections, FOUR_GIB - firmwareSize);
  const pages = sections.reduce((sum, { size }) => sum + size / PAGE_SIZE, 0);
  if (pages > MAX_PAGES)
    throw new ParseError("TOO_LARGE", "SEV metadata sections", {
      offset: metadata.offset,
      expected: `at most ${MAX_PAGES} pages`,
      found: `${pages}`,
    });
  return [...missingKinds(sections), ...sections.flatMap(oddities)];
}

/** `SEV metadata section 2 (CPUID)`, as errors, events and traces call it. */
export function sectionLabel({ index, name, type }: SevSection): string {
  return `SEV metadata section ${index} (${name ?? `type 0x${type.toString(16)}`})`;
}

function checkSection(section: SevSection): void {
  const { guestAddress, size, offset } = section;
  const fault = (at: string, where: number, expected: string, found: number): ParseError =>
    new ParseError("OUT_OF_RANGE", `${at} of ${sectionLabel(section)}`, {
      offset: where,
      expected,
      found: `0x${found.toString(16)}`,
    });
  if (guestAddress % PAGE_SIZE !== 0)
    throw fault("guest address", offset, "a multiple of 0x1000", guestAddress);
  if (size === 0) throw fault("size", offset + 4, "at least one page", size);
  if (size % PAGE_SIZE !== 0) throw fault("size", offset + 4, "a multiple of 0x1000", size);
  if (guestAddress + size > FOUR_GIB) throw fault("end", offset, "at most 4 GiB", guestAddress + size);
}

function checkOverlap(sections: readonly SevSection[], firmwareStart: number): void {
  const ascending = [...sections].sort((a, b) => a.guestAddress - b.guestAddress);
  ascending.forEach((section, index) => {
    const next = ascending[index + 1];
    const end = section.guestAddress + section.size;
    if (end > (next?.guestAddress ?? firmwareStart))
      throw new ParseError("OUT_OF_RANGE", `end of ${sectionLabel(section)}`, {
        offset: section.offset,
        expected: `at most 0x${(next?.guestAddress ?? firmwareStart).toString(16)}, the start of ${next === undefined ? "the firmware" : sectionLabel(next)}`,
        found: `0x${end.toString(16)}`,
      });
  });
}

function missingKinds(sections: readonly SevSection[]): MeasureWarning[] {
  const { CPUID, SNP_SECRETS } = SEV_SECTION_TYPE;
  return [CPUID, SNP_SECRETS]
    .filter((wanted) => !sections.some(({ type }) => type === wanted))
    .map((wanted) => ({
      code: "BP-SNP-107",
      message: `the firmware declares no ${wanted === CPUID ? "CPUID" : "secrets"} page: a guest launches and cannot start`,
      artifact: "firmware" as const,
    }));
}

function oddities(section: SevSection): MeasureWarning[] {
  const { type, size, guestAddress, name } = section;
  const label = sectionLabel(section);
  const warnings: [code: string, message: string][] = [];
  if (name === undefined)
    warnings.push([
      "BP-SNP-103",
      `${label} has an unknown type: QEMU measures it as ZERO pages, other tools refuse it`,
    ]);
  const onePage = type === SEV_SECTION_TYPE.CPUID || type === SEV_SECTION_TYPE.SNP_SECRETS;
  if (onePage && size > PAGE_SIZE)
    warnings.push([
      "BP-SNP-106",
      `${label} has ${size / PAGE_SIZE} pages: QEMU measures each, other tools only the first`,
    ]);
  if (guestAddress + size > TWO_GIB)
    warnings.push([
      "BP-SNP-108",
      `${label} ends above 2 GiB: whether RAM is there depends on the machine's memory`,
    ]);
  return warnings.map(([code, message]) => ({ code, message, artifact: "firmware" }));
}
