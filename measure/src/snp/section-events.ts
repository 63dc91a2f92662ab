/**
 * Metadata sections as page events, in descriptor order (never sorted by address: edk2 since 2026 lists a higher
 * one first), on some VMMs with CPUID sections behind the others. QEMU target/i386/sev.c, snp_populate_metadata_pages.
 * @module
 */
import { ParseError, sha384 } from "@bootproof/bytes";
import { SEV_SECTION_TYPE, type SevSection } from "@bootproof/ovmf";
import type { FirmwareReference } from "./firmware-reference.ts";
import { hashTableFaults } from "./hash-table-faults.ts";
import { type DirectBootDigests, encodeKernelHashes } from "./kernel-hashes.ts";
import { LAUNCH_DIGEST, NO_CONTENTS, PAGE_SIZE, type PageEvent, type PageType } from "./page-info.ts";
import type { SnpProfile } from "./profile.ts";
import { sectionLabel } from "./section-faults.ts";

/**
 * The sections' pages, with the kernel hashes table in its place when `directBoot` is given.
 * Throws {@link ParseError} when the firmware has no usable place for it.
 */
export function sectionEvents(
  firmware: FirmwareReference,
  profile: SnpProfile,
  directBoot: DirectBootDigests | undefined,
): PageEvent[] {
  const tableOffset = directBoot === undefined ? 0 : hashTableOffset(firmware);
  return inOrder(firmware.metadata.sections, profile).flatMap((section) =>
    directBoot !== undefined && section.type === SEV_SECTION_TYPE.SNP_KERNEL_HASHES
      ? hashTableEvents(section, tableOffset, directBoot)
      : pages(section, pageType(section, profile), () => NO_CONTENTS),
  );
}

function inOrder(sections: readonly SevSection[], { cpuidLast }: SnpProfile): readonly SevSection[] {
  if (!cpuidLast) return sections;
  const isCpuid = ({ type }: SevSection): boolean => type === SEV_SECTION_TYPE.CPUID;
  return [...sections.filter((section) => !isCpuid(section)), ...sections.filter(isCpuid)];
}

function pageType(section: SevSection, profile: SnpProfile): PageType {
  switch (section.type) {
    case SEV_SECTION_TYPE.SNP_SEC_MEM:
      return profile.memoryPages;
    case SEV_SECTION_TYPE.SNP_SECRETS:
      return "SECRETS";
    case SEV_SECTION_TYPE.CPUID:
      return "CPUID";
    case SEV_SECTION_TYPE.SVSM_CAA:
    case SEV_SECTION_TYPE.SNP_KERNEL_HASHES:
      return "ZERO";
    default:
      if (profile.unknownSections !== "refused") return profile.unknownSections;
      throw new ParseError("UNSUPPORTED", `type of ${sectionLabel(section)}`, {
        offset: section.offset + 8,
        expected: `a type that ${profile.vmm} knows`,
        found: `0x${section.type.toString(16)}`,
      });
  }
}

function hashTableEvents(section: SevSection, offset: number, directBoot: DirectBootDigests): PageEvent[] {
  const contents = new Uint8Array(section.size);
  contents.set(encodeKernelHashes(directBoot), offset);
  return pages(section, "NORMAL", (start) => sha384(contents.subarray(start, start + PAGE_SIZE)));
}

function pages(section: SevSection, type: PageType, contents: (start: number) => Uint8Array): PageEvent[] {
  const label = sectionLabel(section);
  const source = { artifact: "firmware", section: label, offset: section.offset, length: 12 } as const;
  return Array.from({ length: section.size / PAGE_SIZE }, (_, page) => ({
    register: LAUNCH_DIGEST,
    digest: contents(page * PAGE_SIZE),
    type,
    label,
    source,
    guestAddress: BigInt(section.guestAddress + page * PAGE_SIZE),
  }));
}

/** Where in its section the table goes: QEMU takes the low bits of the area's address. */
function hashTableOffset(firmware: FirmwareReference): number {
  const [fault] = hashTableFaults(firmware);
  if (fault !== undefined) throw fault.error;
  return (firmware.hashTable?.guestAddress ?? 0) % PAGE_SIZE;
}
