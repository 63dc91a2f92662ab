/**
 * What SEV and SEV-ES launches read from a firmware image. QEMU target/i386/sev.c (sev_es_find_reset_vector,
 * sev_add_kernel_loader_hashes): far less than for SNP, and no metadata sections.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import {
  type GuestArea,
  type GuidTable,
  parseGuidTable,
  parseHashTableArea,
  parseResetBlock,
} from "@bootproof/ovmf";
import type { MeasureWarning } from "../measurement.ts";
import { checkImageSize } from "../snp/firmware-reference.ts";
import { HASH_TABLE_LENGTH } from "../snp/kernel-hashes.ts";

/** A firmware image and its GUIDed table, if QEMU finds one. */
export interface SevImage {
  readonly bytes: Uint8Array;
  readonly table: GuidTable | undefined;
  readonly warnings: readonly MeasureWarning[];
}

/** Opens an image, or throws {@link ParseError} for a size that QEMU cannot map. */
export function openSevImage(firmware: Uint8Array): SevImage {
  checkImageSize(firmware.length);
  try {
    return { bytes: firmware, table: parseGuidTable(firmware), warnings: [] };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const message = `QEMU reads no GUIDed table in this firmware: ${error.message}`;
    return {
      bytes: firmware,
      table: undefined,
      warnings: [{ code: "BP-SEV-101", message, artifact: "firmware" }],
    };
  }
}

/** Where application processors start; throws {@link ParseError} when QEMU finds no reset block, for any number of vCPUs. */
export const sevResetAddress = ({ bytes, table }: SevImage): number => parseResetBlock(bytes, table);

/** The area for the kernel hashes table; throws {@link ParseError} where QEMU refuses kernel hashes. */
export function sevHashTableArea({ table }: SevImage): GuestArea {
  const area = table && parseHashTableArea(table);
  if (area === undefined || area.guestAddress === 0)
    throw new ParseError("MISSING", "SEV hash table area in the firmware, which a measured kernel needs", {
      ...(area?.offset !== undefined && { offset: area.offset }),
      expected: area === undefined ? "an entry of the GUIDed table" : "an address",
      found: area === undefined ? "none" : "0",
    });
  if (area.size < HASH_TABLE_LENGTH)
    throw new ParseError("OUT_OF_RANGE", "size of the SEV hash table area", {
      ...(area.offset !== undefined && { offset: area.offset + 4 }),
      expected: `at least ${HASH_TABLE_LENGTH}`,
      found: `${area.size}`,
    });
  return area;
}
