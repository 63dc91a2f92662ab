/**
 * Metadata sections as page runs, in descriptor order (never sorted by address: edk2 since 2026 lists a higher
 * one first), on some VMMs with CPUID sections behind the others. QEMU target/i386/sev.c, snp_populate_metadata_pages.
 * @module
 */
import { ParseError, sha384 } from "@bootproof/bytes";
import { SEV_SECTION_TYPE, type SevSection } from "@bootproof/ovmf";
import type { EventSource } from "../event.ts";
import type { FirmwareReference } from "./firmware-reference.ts";
import { hashTableFaults } from "./hash-table-faults.ts";
import { type DirectBootDigests, encodeKernelHashes } from "./kernel-hashes.ts";
import { PAGE_SIZE, type PageType } from "./page-info.ts";
import { hashPages, type PageRun } from "./page-run.ts";
import type { SnpProfile } from "./profile.ts";
import { sectionLabel } from "./section-faults.ts";

/**
 * The sections' pages, with the kernel hashes table in its place when `directBoot` is given.
 * Throws {@link ParseError} when the firmware has no usable place for it.
 */
export function sectionRuns(
  firmware: FirmwareReference,
  profile: SnpProfile,
  directBoot: DirectBootDigests | undefined,
): PageRun[] {
  const tableOffset = directBoot === undefined ? 0 : hashTableOffset(firmware);
  return inOrder(firmware.metadata.sections, profile).map((section) => {
    const run = {
      guestAddress: BigInt(section.guestAddress),
      pages: section.size / PAGE_SIZE,
      label: sectionLabel(section),
      source: sectionSource(firmware, section),
      advances: false,
    };
    return directBoot !== undefined && section.type === SEV_SECTION_TYPE.SNP_KERNEL_HASHES
      ? { ...run, type: "NORMAL", contents: hashTableContents(run.pages, tableOffset, directBoot) }
      : { ...run, type: pageType(section, profile), contents: undefined };
  });
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

/** A section read from a reference has no place in any file. */
function sectionSource({ metadata }: FirmwareReference, section: SevSection): EventSource {
  const source = { artifact: "firmware", section: sectionLabel(section) } as const;
  return metadata.length === 0 ? source : { ...source, offset: section.offset, length: 12 };
}

/** Digests of the section's pages: zeros but for the table, which may cross into a second page. */
function hashTableContents(pages: number, offset: number, directBoot: DirectBootDigests): Uint8Array {
  const table = encodeKernelHashes(directBoot);
  const start = new Uint8Array(offset + table.length);
  start.set(table, offset);
  const hashed = hashPages(start);
  const contents = new Uint8Array(pages * 48);
  const zeros = sha384(new Uint8Array(PAGE_SIZE));
  for (let at = hashed.length; at < contents.length; at += zeros.length) contents.set(zeros, at);
  contents.set(hashed);
  return contents;
}

/** Where in its section the table goes: QEMU takes the low bits of the area's address. */
function hashTableOffset(firmware: FirmwareReference): number {
  const [fault] = hashTableFaults(firmware);
  if (fault !== undefined) throw fault.error;
  return (firmware.hashTable?.guestAddress ?? 0) % PAGE_SIZE;
}
