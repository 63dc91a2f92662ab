/**
 * Everything `inspect` shows of a firmware image. What is missing or broken becomes a problem in the answer.
 * @module
 */
import { formatDigest, formatHex, ParseError, sha256, sha384 } from "@bootproof/bytes";
import { type FirmwareVolume, findVolumes } from "./firmware-volume.ts";
import { type GuestArea, parseHashTableArea, parseResetAddress, parseSecretArea } from "./firmware.ts";
import { type GuidTable, openGuidEntry, parseGuidTable } from "./guid-table.ts";
import { TDX_METADATA_GUID } from "./guids.ts";
import { parseSevMetadata, type SevMetadata } from "./sev-metadata.ts";

/** A firmware image, described. */
export interface FirmwareDescription {
  readonly size: number;
  readonly sha256: string;
  readonly sha384: string;
  /** Guest address of the image's first byte: it ends at 4 GiB. */
  readonly guestAddress: number;
  readonly table: {
    readonly offset: number;
    readonly length: number;
    readonly entries: readonly { guid: string; name: string | undefined; offset: number; data: string }[];
  };
  readonly sevMetadata: SevMetadata | undefined;
  /** Offset of the TDX metadata descriptor in the image. */
  readonly tdxMetadataOffset: number | undefined;
  readonly resetAddress: number | undefined;
  readonly hashTable: GuestArea | undefined;
  readonly secretArea: GuestArea | undefined;
  readonly volumes: readonly FirmwareVolume[];
  /** What a VMM would stumble over, in the words of {@link ParseError}. */
  readonly problems: readonly string[];
}

const FOUR_GIB = 0x1_0000_0000;

/** Describes an OVMF image; throws {@link ParseError} when it has no GUIDed table, so is none. */
export function describeFirmware(firmware: Uint8Array): FirmwareDescription {
  const table = parseGuidTable(firmware);
  const problems = tableProblems(table);
  const attempt = <T>(parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  return {
    size: firmware.length,
    sha256: formatDigest(sha256(firmware)),
    sha384: formatDigest(sha384(firmware)),
    guestAddress: FOUR_GIB - firmware.length,
    table: {
      offset: table.offset,
      length: table.length,
      entries: table.entries.map((entry) => ({ ...entry, data: formatHex(entry.data) })),
    },
    sevMetadata: attempt(() => parseSevMetadata(firmware, table)),
    tdxMetadataOffset: hasEntry(table, TDX_METADATA_GUID)
      ? attempt(() => parseTdxMetadataOffset(firmware, table))
      : undefined,
    resetAddress: attempt(() => parseResetAddress(table)),
    hashTable: attempt(() => parseHashTableArea(table)),
    secretArea: attempt(() => parseSecretArea(table)),
    volumes: findVolumes(firmware),
    problems,
  };
}

/**
 * Offset of the TDX metadata descriptor, which the table entry points at: 16 bytes behind its GUID.
 * Throws {@link ParseError} when the entry is absent, too short, or points out of the image.
 */
export function parseTdxMetadataOffset(firmware: Uint8Array, table: GuidTable): number {
  const entry = openGuidEntry(table, TDX_METADATA_GUID, 4);
  const pointer = entry.offset;
  const fromEnd = entry.u32le("TDX metadata offset");
  if (fromEnd > firmware.length)
    throw new ParseError("OUT_OF_RANGE", "TDX metadata offset from the end of the image", {
      offset: pointer,
      expected: `at most ${firmware.length}`,
      found: `${fromEnd}`,
    });
  return firmware.length - fromEnd;
}

const hasEntry = (table: GuidTable, guid: string): boolean =>
  table.entries.some((entry) => entry.guid === guid);

function tableProblems({ unread }: GuidTable): string[] {
  if (unread === undefined) return [];
  const { length, offset, why } = unread;
  return [`${length} bytes of the GUIDed table at offset 0x${offset.toString(16)} hold no entry: ${why}`];
}
