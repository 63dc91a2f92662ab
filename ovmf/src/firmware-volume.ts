/**
 * Firmware volumes and the files in them, as far as their headers say.
 * UEFI Platform Initialization 1.8, volume 3, sections 3.2.1 (EFI_FIRMWARE_VOLUME_HEADER) and 3.2.3
 * (EFI_FFS_FILE_HEADER). Compressed contents stay closed.
 * @module
 */
import { ByteReader, formatGuid, ParseError } from "@bootproof/bytes";
import { FFS_GUIDS, guidName } from "./guids.ts";

const SIGNATURE_AT = 40;
/** `_FVH`, little-endian. */
const SIGNATURE = 0x4856_465f;
const MIN_HEADER = 0x38;
/** Volumes start on a flash block, in every image seen 4 KiB. */
const ALIGNMENT = 4096;
const FILE_HEADER = 24;
const LARGE_FILE_HEADER = 32;
const LARGE_FILE = 0x01;
const PAD_FILE = 0xf0;

/** One file of a volume. */
export interface FirmwareFile {
  readonly guid: string;
  readonly name: string | undefined;
  readonly type: number;
  readonly offset: number;
  readonly length: number;
}

/** One firmware volume. */
export interface FirmwareVolume {
  readonly fileSystem: string;
  readonly name: string | undefined;
  readonly offset: number;
  readonly length: number;
  readonly files: readonly FirmwareFile[];
}

/** Every volume whose header is whole; bytes outside volumes are no error (a reset vector or padding is there). */
export function findVolumes(firmware: Uint8Array): FirmwareVolume[] {
  const volumes: FirmwareVolume[] = [];
  for (let offset = 0; offset + MIN_HEADER <= firmware.length; offset += ALIGNMENT) {
    const volume = tryVolume(firmware, offset);
    if (volume === undefined) continue;
    volumes.push(volume);
    offset = Math.ceil((offset + volume.length) / ALIGNMENT) * ALIGNMENT - ALIGNMENT;
  }
  return volumes;
}

function tryVolume(firmware: Uint8Array, offset: number): FirmwareVolume | undefined {
  const signature = new ByteReader(firmware.subarray(offset + SIGNATURE_AT)).u32le("volume signature");
  if (signature !== SIGNATURE) return undefined;
  try {
    return parseVolume(firmware, offset);
  } catch (error) {
    if (error instanceof ParseError) return undefined; // `_FVH` inside other data, or a damaged header
    throw error;
  }
}

/** Parses the volume at `offset`, or throws {@link ParseError}. */
export function parseVolume(firmware: Uint8Array, offset: number): FirmwareVolume {
  const reader = new ByteReader(firmware.subarray(offset), offset);
  reader.skip(16, "volume zero vector");
  const fileSystem = formatGuid(reader.bytes(16, "volume file system GUID"));
  const length = reader.u64le("volume length");
  if (reader.u32le("volume signature") !== SIGNATURE)
    throw new ParseError("BAD_MAGIC", "volume signature", {
      offset: offset + SIGNATURE_AT,
      expected: "_FVH",
    });
  reader.skip(4, "volume attributes");
  const headerLength = reader.u16le("volume header length");
  reader.skip(2, "volume checksum");
  const extended = reader.u16le("volume extended header offset");
  const available = firmware.length - offset;
  if (headerLength < MIN_HEADER || length < headerLength || length > available)
    throw new ParseError("OUT_OF_RANGE", "volume length", {
      offset: offset + 32,
      expected: `${MIN_HEADER} to ${available}`,
      found: `${length}`,
    });
  checkSum(firmware, offset, headerLength);
  const end = offset + Number(length);
  const { start, name } = firstFile(firmware, { offset, end, headerLength, extended });
  return {
    fileSystem,
    name: guidName(name ?? "") ?? name ?? guidName(fileSystem),
    offset,
    length: Number(length),
    // A variable store has the same header and no files.
    files: FFS_GUIDS.includes(fileSystem) ? readFiles(firmware, offset, start, end) : [],
  };
}

/** The header's 16-bit words must add up to 0. */
function checkSum(firmware: Uint8Array, offset: number, headerLength: number): void {
  const reader = new ByteReader(firmware.subarray(offset, offset + headerLength), offset);
  let sum = 0;
  while (reader.remaining >= 2) sum = (sum + reader.u16le("volume header")) & 0xffff;
  if (sum !== 0)
    throw new ParseError("BAD_DIGEST", "volume header checksum", { offset, expected: "0", found: `${sum}` });
}

interface VolumeExtent {
  readonly offset: number;
  readonly end: number;
  readonly headerLength: number;
  readonly extended: number;
}

/** Files start behind the header, or behind the extended header, which also names the volume. */
function firstFile(firmware: Uint8Array, volume: VolumeExtent): { start: number; name?: string } {
  if (volume.extended === 0) return { start: volume.offset + volume.headerLength };
  const at = volume.offset + volume.extended;
  const reader = new ByteReader(firmware.subarray(at, Math.max(at, volume.end)), at);
  const name = formatGuid(reader.bytes(16, "volume name GUID"));
  const size = reader.u32le("volume extended header size");
  return { start: Math.min(at + Math.max(size, 20), volume.end), name };
}

function readFiles(firmware: Uint8Array, base: number, start: number, end: number): FirmwareFile[] {
  const files: FirmwareFile[] = [];
  let offset = align8(base, start);
  while (offset + FILE_HEADER <= end) {
    const file = readFile(firmware.subarray(offset, end), offset);
    if (file === undefined) break;
    files.push(file);
    offset = align8(base, offset + file.length);
  }
  return files;
}

/** The file at `offset`, or undefined where free space or something that is no file begins. */
function readFile(bytes: Uint8Array, offset: number): FirmwareFile | undefined {
  const reader = new ByteReader(bytes, offset);
  const guid = formatGuid(reader.bytes(16, "file GUID"));
  reader.skip(2, "file integrity check");
  const type = reader.u8("file type");
  const attributes = reader.u8("file attributes");
  const small = reader.u16le("file size") + reader.u8("file size") * 0x1_0000;
  const large = (attributes & LARGE_FILE) !== 0 && bytes.length >= LARGE_FILE_HEADER;
  if (large) reader.skip(1, "file state");
  const length = large ? Number(reader.u64le("file extended size")) : small;
  // Free space reads as size 0xffffff, which never fits.
  if (length < (large ? LARGE_FILE_HEADER : FILE_HEADER) || length > bytes.length) return undefined;
  return { guid, name: type === PAD_FILE ? "padding" : guidName(guid), type, offset, length };
}

const align8 = (base: number, offset: number): number => base + Math.ceil((offset - base) / 8) * 8;
