/**
 * What remains of a firmware image once its pages are in the launch digest: enough to derive every digest of
 * every guest that boots it, without the image.
 * @module
 */
import { ParseError, type Sha384 } from "@bootproof/bytes";
import {
  type GuestArea,
  parseHashTableArea,
  parseSevFirmware,
  type SevFirmware,
  type SevMetadata,
} from "@bootproof/ovmf";
import type { MeasureWarning } from "../measurement.ts";
import { checkSections } from "./launchable.ts";
import { LAUNCH_DIGEST, PAGE_SIZE, START } from "./page-info.ts";
import { extendRuns, normalRun, type PageRun } from "./page-run.ts";

const FOUR_GIB = 0x1_0000_0000;
/** QEMU's own limit for max-fw-size. */
const MAX_FIRMWARE = 16 * 1024 * 1024;

/** A firmware image without its bytes. */
export interface FirmwareReference {
  /** What the pages are of: OVMF alone when undefined, or OVMF with an SVSM, whose sections and reset address these are. */
  readonly kind?: "svsm" | undefined;
  readonly size: number;
  /** Launch digest after the last firmware page. */
  readonly seed: Sha384;
  readonly metadata: SevMetadata;
  readonly resetAddress: number;
  /** Undefined when the table does not name one; address 0 when it names none in fact. */
  readonly hashTable: GuestArea | undefined;
}

/** A firmware image, checked and hashed. */
export interface MeasuredFirmware {
  readonly reference: FirmwareReference;
  /** The image's pages. */
  readonly pages: readonly PageRun[];
  readonly warnings: readonly MeasureWarning[];
}

/** Checks and hashes an image, or throws {@link ParseError} where QEMU would not launch it. */
export function measureFirmware(firmware: Uint8Array): MeasuredFirmware {
  checkImageSize(firmware.length);
  const parsed = parseSevFirmware(firmware);
  const warnings = [...unreadBytes(parsed), ...checkSections(parsed.metadata, firmware.length)];
  const hashTable = parseHashTableArea(parsed.table);
  const pages = [imagePages(firmware, FOUR_GIB)];
  const reference: FirmwareReference = {
    size: firmware.length,
    seed: extendRuns(START[LAUNCH_DIGEST], pages),
    metadata: parsed.metadata,
    resetAddress: parsed.resetAddress,
    hashTable,
  };
  return { reference, pages, warnings };
}

/** One NORMAL page for each 4 KiB of an image that ends at `end`. */
export const imagePages = (firmware: Uint8Array, end: number): PageRun =>
  normalRun(firmware, BigInt(end - firmware.length), "firmware page", "firmware");

/** Demands a size that QEMU can map below 4 GiB, or throws {@link ParseError}. */
export function checkImageSize(size: number): void {
  const detail = { expected: `a multiple of ${PAGE_SIZE} up to ${MAX_FIRMWARE} bytes`, found: `${size}` };
  if (size > MAX_FIRMWARE) throw new ParseError("TOO_LARGE", "firmware image size", detail);
  if (size <= 0 || size % PAGE_SIZE !== 0)
    throw new ParseError("OUT_OF_RANGE", "firmware image size", detail);
}

function unreadBytes({ table, metadata }: SevFirmware): MeasureWarning[] {
  const warnings: MeasureWarning[] = [];
  const { unread } = table;
  if (unread !== undefined)
    warnings.push({
      code: "BP-SNP-104",
      message: `QEMU reads no entry in ${unread.length} bytes of the GUIDed table at offset 0x${unread.offset.toString(16)}: ${unread.why}`,
      artifact: "firmware",
    });
  if (metadata.unread > 0)
    warnings.push({
      code: "BP-SNP-105",
      message: `the SEV metadata's length leaves ${metadata.unread} bytes behind the last section that QEMU does not read`,
      artifact: "firmware",
    });
  return warnings;
}
