/**
 * Which metadata sections QEMU and KVM can launch. What they refuse has no launch digest, whatever other tools
 * print.
 * @module
 */
import { SEV_SECTION_TYPE, type SevMetadata, type SevSection } from "@bootproof/ovmf";
import type { MeasureWarning } from "../measurement.ts";
import { PAGE_SIZE } from "./page-info.ts";
import { sectionFaults, sectionLabel } from "./section-faults.ts";

/** Below this q35 has RAM in every configuration with enough memory; above it depends on the machine's size. */
const TWO_GIB = 0x8000_0000;

/** Demands that QEMU can launch every section, or throws {@link ParseError}; returns what is odd but launches. */
export function checkSections(metadata: SevMetadata, firmwareSize: number): MeasureWarning[] {
  const [fault] = sectionFaults(metadata, firmwareSize);
  if (fault !== undefined) throw fault.error;
  const { sections } = metadata;
  return [...missingKinds(sections), ...sections.flatMap(oddities)];
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
