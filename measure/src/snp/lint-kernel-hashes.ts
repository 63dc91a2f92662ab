/**
 * Findings about the place for the kernel hashes table of a measured direct boot.
 * @module
 */
import {
  type GuestArea,
  type GuidTable,
  parseHashTableArea,
  SEV_SECTION_TYPE,
  type SevMetadata,
} from "@bootproof/ovmf";
import { type HashTableFaultKind, hashTableFaults } from "./hash-table-faults.ts";
import { HASH_TABLE_LENGTH } from "./kernel-hashes.ts";
import { attempt, fromParseError } from "./lint-image.ts";
import { type FirmwareFinding, finding, type FirmwareLintCode } from "./lint-rules.ts";
import { PAGE_SIZE } from "./page-info.ts";
import { sectionLabel } from "./section-faults.ts";

/** Whether a kernel, initrd and command line can be measured with this firmware. */
export interface KernelHashesUse {
  readonly usable: boolean;
  /** Where the table goes, or each reason why there is none. */
  readonly reasons: readonly string[];
}

/** The same for SNP guests, and for SEV and SEV-ES guests, which need no section. */
export interface KernelHashesLint {
  readonly snp: KernelHashesUse;
  readonly sev: KernelHashesUse;
}

type Row = readonly [code: FirmwareLintCode, message: string];

const WITH_SECTION: Readonly<Partial<Record<HashTableFaultKind, Row>>> = {
  "no area": [
    "BP-LINT-035",
    "there is a section for the kernel hashes table and no area in the GUIDed table",
  ],
  "area at 0": [
    "BP-LINT-035",
    "there is a section for the kernel hashes table, and its area is at address 0",
  ],
};

const FAULTS: Readonly<Record<HashTableFaultKind, Row>> = {
  "no area": ["BP-LINT-036", "the image has no place for kernel hashes: QEMU refuses kernel-hashes=on"],
  "area at 0": ["BP-LINT-036", "the image has no place for kernel hashes: QEMU refuses kernel-hashes=on"],
  "no section": [
    "BP-LINT-037",
    "there is an area for the kernel hashes table and no section: SEV and SEV-ES guests have kernel hashes, SNP guests have none",
  ],
  "several sections": [
    "BP-LINT-041",
    "there are several sections for the kernel hashes table: QEMU writes the table into each",
  ],
  "area too small": [
    "BP-LINT-038",
    "the area is too small for the kernel hashes table: QEMU refuses kernel-hashes=on, sev-snp-measure and crate sev print a digest",
  ],
  "another page": [
    "BP-LINT-039",
    "the area lies outside its section's first page: QEMU writes the table into the section, firmware looks in the area",
  ],
  "beyond section": [
    "BP-LINT-040",
    "the kernel hashes table would end behind its section: QEMU stops at an assertion",
  ],
};

/** What is odd about the place for kernel hashes, and whether it can be used. */
export function lintKernelHashes(
  table: GuidTable,
  metadata: SevMetadata | undefined,
  findings: FirmwareFinding[],
): KernelHashesLint {
  let refusal: string | undefined;
  const hashTable = attempt(
    findings,
    () => parseHashTableArea(table),
    (error) => {
      refusal = "the SEV hash table area cannot be read";
      // BP-LINT-006 says that it is there twice.
      return error.code === "DUPLICATE" ? undefined : fromParseError("BP-LINT-016", error, refusal);
    },
  );
  if (refusal !== undefined) return unusable([refusal]);
  const sev = sevUse(hashTable);
  if (metadata === undefined)
    return { snp: { usable: false, reasons: ["the SEV metadata cannot be read"] }, sev };
  const found = faults(hashTable, metadata);
  findings.push(...found, ...sectionFindings(metadata));
  if (found.length > 0) return { snp: { usable: false, reasons: found.map(reason) }, sev };
  const address = (hashTable?.guestAddress ?? 0).toString(16);
  return { snp: { usable: true, reasons: [`the table goes to 0x${address}, measured as NORMAL`] }, sev };
}

/** Kernel hashes that cannot be used on any platform. */
export function unusable(reasons: readonly string[]): KernelHashesLint {
  return { snp: { usable: false, reasons }, sev: { usable: false, reasons } };
}

const reason = ({ message, expected, found }: FirmwareFinding): string =>
  expected === undefined || found === undefined
    ? message
    : `${message} (expected ${expected}, found ${found})`;

function faults(hashTable: GuestArea | undefined, metadata: SevMetadata): FirmwareFinding[] {
  const section = metadata.sections.find(({ type }) => type === SEV_SECTION_TYPE.SNP_KERNEL_HASHES);
  const all = [...hashTableFaults({ hashTable, metadata })];
  const noArea = all.some(({ kind }) => kind === "no area" || kind === "area at 0");
  return (
    all
      // Without an area the section's absence is no news.
      .filter(({ kind }) => !(kind === "no section" && noArea))
      .map(({ kind, error }) => {
        const [code, message] = (section === undefined ? undefined : WITH_SECTION[kind]) ?? FAULTS[kind];
        return fromParseError(code, error, message, { section: section?.index });
      })
  );
}

function sectionFindings({ sections }: SevMetadata): FirmwareFinding[] {
  return sections
    .filter(({ type }) => type === SEV_SECTION_TYPE.SNP_KERNEL_HASHES)
    .flatMap((section) => {
      const { offset, index, size } = section;
      const label = sectionLabel(section);
      const found = [
        finding(
          "BP-LINT-033",
          `${label} is measured as NORMAL with the table, as ZERO without, by QEMU; Google's tool refused it in 2025 and measures ZERO in a later revision`,
          { offset: offset + 8, section: index },
        ),
      ];
      if (size > PAGE_SIZE)
        found.push(
          finding(
            "BP-LINT-034",
            `${label} has more than one page: QEMU measures each, sev-snp-measure and crate sev stop when a kernel is given`,
            { offset: offset + 4, section: index, expected: "0x1000", found: `0x${size.toString(16)}` },
          ),
        );
      return found;
    });
}

function sevUse(area: GuestArea | undefined): KernelHashesUse {
  if (area === undefined || area.guestAddress === 0)
    return { usable: false, reasons: ["the image names no SEV hash table area"] };
  if (area.size < HASH_TABLE_LENGTH)
    return {
      usable: false,
      reasons: [`the SEV hash table area has ${area.size} bytes, the table ${HASH_TABLE_LENGTH}`],
    };
  return {
    usable: true,
    reasons: [`the table goes to 0x${area.guestAddress.toString(16)}, hashed behind the image`],
  };
}
