/**
 * What an OVMF image asks of the VMM, gathered from its GUIDed table.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import {
  findGuidEntry,
  type GuidTable,
  openGuidEntry,
  parseBareEntry,
  parseGuidTable,
} from "./guid-table.ts";
import { HASH_TABLE_GUID, RESET_BLOCK_GUID, SECRET_AREA_GUID } from "./guids.ts";
import { parseSevMetadata, type SevMetadata } from "./sev-metadata.ts";

/** A range of guest memory that a table entry names. */
export interface GuestArea {
  readonly guestAddress: number;
  readonly size: number;
  /** Offset of the entry's data in the image; undefined when no image says it. */
  readonly offset?: number | undefined;
}

/** The parts of an image that SEV-SNP launch uses. */
export interface SevFirmware {
  readonly table: GuidTable;
  readonly metadata: SevMetadata;
  /** Where application processors start (EIP after reset). */
  readonly resetAddress: number;
}

/** Parses what SEV-SNP launch needs, or throws {@link ParseError} where QEMU would not launch. */
export function parseSevFirmware(firmware: Uint8Array): SevFirmware {
  const table = parseGuidTable(firmware);
  return { table, metadata: parseSevMetadata(firmware, table), resetAddress: parseResetAddress(table) };
}

/** The application processors' reset address; throws {@link ParseError} when it is absent or 0, as QEMU does. */
export function parseResetAddress(table: GuidTable): number {
  const entry = openGuidEntry(table, RESET_BLOCK_GUID, 4);
  const offset = entry.offset;
  const address = entry.u32le("AP reset address");
  if (address === 0)
    throw new ParseError("OUT_OF_RANGE", "AP reset address", { offset, expected: "not 0", found: "0" });
  return address;
}

/**
 * The same address as SEV-ES launches look for it: in the table if there is one with a reset block, else in a bare block
 * where the table would end, as firmware before the table had it. Throws {@link ParseError} when it is absent or 0.
 */
export function parseResetBlock(firmware: Uint8Array, table: GuidTable | undefined): number {
  if (table !== undefined && findGuidEntry(table, RESET_BLOCK_GUID) !== undefined)
    return parseResetAddress(table);
  return parseResetAddress(parseBareEntry(firmware, RESET_BLOCK_GUID));
}

/** The area for the kernel hashes table, or undefined when the image names none. May have address 0: unsupported. */
export const parseHashTableArea = (table: GuidTable): GuestArea | undefined =>
  parseArea(table, HASH_TABLE_GUID);

/** The area for injected secrets, or undefined when the image names none. */
export const parseSecretArea = (table: GuidTable): GuestArea | undefined =>
  parseArea(table, SECRET_AREA_GUID);

function parseArea(table: GuidTable, guid: string): GuestArea | undefined {
  if (findGuidEntry(table, guid) === undefined) return undefined;
  const entry = openGuidEntry(table, guid, 8);
  const { offset } = entry;
  return { offset, guestAddress: entry.u32le("area guest address"), size: entry.u32le("area size") };
}
