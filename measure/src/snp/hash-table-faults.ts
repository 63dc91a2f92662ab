/**
 * Everything that keeps an image from a measured direct boot: the one list behind the engine, which stops at the
 * first, and the linter, which shows all. QEMU target/i386/sev.c (sev_add_kernel_loader_hashes,
 * snp_launch_update_kernel_hashes).
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { type GuestArea, SEV_SECTION_TYPE, type SevMetadata, type SevSection } from "@bootproof/ovmf";
import { HASH_TABLE_LENGTH } from "./kernel-hashes.ts";
import { PAGE_SIZE } from "./page-info.ts";

/** What is wrong with the place for the kernel hashes table. */
export type HashTableFaultKind =
  | "no area"
  | "area at 0"
  | "no section"
  | "several sections"
  | "area too small"
  | "another page"
  | "beyond section";

/** One reason why QEMU puts no kernel hashes there. */
export interface HashTableFault {
  readonly kind: HashTableFaultKind;
  readonly error: ParseError;
}

/** What {@link hashTableFaults} looks at. */
export interface HashTablePlace {
  readonly hashTable: GuestArea | undefined;
  readonly metadata: SevMetadata;
}

/** Every fault, in the order in which the engine meets them. */
export function* hashTableFaults({ hashTable, metadata }: HashTablePlace): Generator<HashTableFault> {
  const [section, second] = metadata.sections.filter(
    ({ type }) => type === SEV_SECTION_TYPE.SNP_KERNEL_HASHES,
  );
  if (hashTable === undefined || hashTable.guestAddress === 0)
    yield {
      kind: hashTable === undefined ? "no area" : "area at 0",
      error: new ParseError(
        "MISSING",
        "SEV hash table area in the firmware, which a measured kernel needs",
        hashTable === undefined
          ? { expected: "an entry of the GUIDed table", found: "none" }
          : { ...placed(hashTable), expected: "an address", found: "0" },
      ),
    };
  if (section === undefined)
    yield {
      kind: "no section",
      error: new ParseError(
        "MISSING",
        "SNP_KERNEL_HASHES section in the firmware, which a measured kernel needs",
        {
          offset: metadata.offset,
          expected: "a section of type 0x10",
          found: `none among ${metadata.sections.length}`,
        },
      ),
    };
  if (second !== undefined)
    yield {
      kind: "several sections",
      error: new ParseError("DUPLICATE", "SNP_KERNEL_HASHES section", {
        offset: second.offset,
        expected: "one section",
        found: "two or more",
      }),
    };
  if (hashTable !== undefined && hashTable.guestAddress !== 0) yield* areaFaults(hashTable, section);
}

function* areaFaults(area: GuestArea, section: SevSection | undefined): Generator<HashTableFault> {
  if (area.size < HASH_TABLE_LENGTH)
    yield wrong("area too small", "size of the SEV hash table area", {
      ...placed(area, 4),
      expected: `at least ${HASH_TABLE_LENGTH}`,
      found: `${area.size}`,
    });
  if (section === undefined) return;
  const offset = area.guestAddress % PAGE_SIZE;
  // QEMU writes into the section's page, firmware reads the area's: a guest where they differ finds no table.
  if (area.guestAddress - offset !== section.guestAddress)
    yield wrong("another page", "address of the SEV hash table area", {
      ...placed(area),
      expected: `in the first page of the SNP_KERNEL_HASHES section, 0x${section.guestAddress.toString(16)}`,
      found: `0x${area.guestAddress.toString(16)}`,
    });
  if (offset + HASH_TABLE_LENGTH > section.size)
    yield wrong("beyond section", "end of the kernel hashes table in its section", {
      ...placed(area),
      expected: `at most ${section.size}`,
      found: `${offset + HASH_TABLE_LENGTH}`,
    });
}

function wrong(
  kind: HashTableFaultKind,
  at: string,
  detail: { readonly offset?: number; readonly expected: string; readonly found: string },
): HashTableFault {
  return { kind, error: new ParseError("OUT_OF_RANGE", at, detail) };
}

/** Where in the image the area is named; a reference has no such place. */
const placed = ({ offset }: GuestArea, field = 0): { offset?: number } =>
  offset === undefined ? {} : { offset: offset + field };
