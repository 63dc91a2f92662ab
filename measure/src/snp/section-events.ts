/**
 * Metadata sections as page events, in descriptor order (never sorted by address: edk2 since 2026 lists a higher
 * one first). QEMU target/i386/sev.c, snp_populate_metadata_pages.
 * @module
 */
import { ParseError, sha384 } from "@bootproof/bytes";
import { SEV_SECTION_TYPE, type SevSection } from "@bootproof/ovmf";
import type { FirmwareReference } from "./firmware-reference.ts";
import { type DirectBootDigests, encodeKernelHashes, HASH_TABLE_LENGTH } from "./kernel-hashes.ts";
import { sectionLabel } from "./launchable.ts";
import { LAUNCH_DIGEST, NO_CONTENTS, PAGE_SIZE, type PageEvent, type PageType } from "./page-info.ts";
import type { SnpProfile } from "./profiles.ts";

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
  return firmware.metadata.sections.flatMap((section) =>
    directBoot !== undefined && section.type === SEV_SECTION_TYPE.SNP_KERNEL_HASHES
      ? hashTableEvents(section, tableOffset, directBoot)
      : pages(section, pageType(section, profile), () => NO_CONTENTS),
  );
}

function pageType({ type }: SevSection, profile: SnpProfile): PageType {
  switch (type) {
    case SEV_SECTION_TYPE.SNP_SECRETS:
      return "SECRETS";
    case SEV_SECTION_TYPE.CPUID:
      return "CPUID";
    default:
      return profile.memoryPages;
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
function hashTableOffset({ hashTable, metadata }: FirmwareReference): number {
  const [section, second] = metadata.sections.filter(
    ({ type }) => type === SEV_SECTION_TYPE.SNP_KERNEL_HASHES,
  );
  if (hashTable === undefined || hashTable.guestAddress === 0)
    throw new ParseError("MISSING", "SEV hash table area in the firmware, which a measured kernel needs");
  if (section === undefined)
    throw new ParseError(
      "MISSING",
      "SNP_KERNEL_HASHES section in the firmware, which a measured kernel needs",
    );
  if (second !== undefined)
    throw new ParseError("DUPLICATE", "SNP_KERNEL_HASHES section", { offset: second.offset });
  if (hashTable.size < HASH_TABLE_LENGTH)
    throw new ParseError("OUT_OF_RANGE", "size of the SEV hash table area", {
      expected: `at least ${HASH_TABLE_LENGTH}`,
      found: `${hashTable.size}`,
    });
  const offset = hashTable.guestAddress % PAGE_SIZE;
  // QEMU writes into the section's page, firmware reads the area's: a guest where they differ finds no table.
  if (hashTable.guestAddress - offset !== section.guestAddress)
    throw new ParseError("OUT_OF_RANGE", "address of the SEV hash table area", {
      expected: `in the first page of the SNP_KERNEL_HASHES section, 0x${section.guestAddress.toString(16)}`,
      found: `0x${hashTable.guestAddress.toString(16)}`,
    });
  if (offset + HASH_TABLE_LENGTH > section.size)
    throw new ParseError("OUT_OF_RANGE", "end of the kernel hashes table in its section", {
      expected: `at most ${section.size}`,
      found: `${offset + HASH_TABLE_LENGTH}`,
    });
  return offset;
}
