/**
 * The GUIDed table at the end of an OVMF image, read as QEMU reads it.
 * edk2 OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm: the footer ends 32 bytes before the end of the image, and
 * entries stand before it, each as data, u16 length (data + 18), GUID. QEMU hw/i386/pc_sysfw_ovmf.c walks them
 * from the footer downwards and stops where an entry makes no sense, so an entry after that point is not found.
 * @module
 */
import { ByteReader, formatGuid, ParseError } from "@bootproof/bytes";
import { guidName, TABLE_FOOTER_GUID } from "./guids.ts";

const BYTES_AFTER_TABLE = 32;
const ENTRY_HEADER = 2 + 16;
/** QEMU looks for no table in an image smaller than a page. */
const MIN_IMAGE = 4096;

/** One entry of the table. */
export interface GuidTableEntry {
  readonly guid: string;
  readonly name: string | undefined;
  /** Offset of the entry's data in the image. */
  readonly offset: number;
  readonly data: Uint8Array;
}

/** The table: its place, its entries from the footer downwards, and the bytes that hold none. */
export interface GuidTable {
  readonly offset: number;
  /** Bytes from the first entry to the end of the footer. */
  readonly length: number;
  readonly entries: readonly GuidTableEntry[];
  /** Bytes below the last readable entry, and why no entry is there. */
  readonly unread: { readonly offset: number; readonly length: number; readonly why: string } | undefined;
}

/** Parses the table, or throws {@link ParseError} where QEMU would find none. */
export function parseGuidTable(firmware: Uint8Array): GuidTable {
  if (firmware.length < MIN_IMAGE)
    throw new ParseError("TRUNCATED", "firmware image", {
      expected: `at least ${MIN_IMAGE} bytes`,
      found: `${firmware.length}`,
    });
  const end = firmware.length - BYTES_AFTER_TABLE;
  const footer = readHeader(firmware, end);
  if (footer.guid !== TABLE_FOOTER_GUID)
    throw new ParseError("BAD_MAGIC", "GUIDed table footer", {
      offset: end - 16,
      expected: TABLE_FOOTER_GUID,
      found: footer.guid,
    });
  if (footer.length < ENTRY_HEADER || footer.length > end)
    throw new ParseError("OUT_OF_RANGE", "GUIDed table length", {
      offset: end - ENTRY_HEADER,
      expected: `${ENTRY_HEADER} to ${end}`,
      found: `${footer.length}`,
    });
  return walk(firmware, end - footer.length, end);
}

/**
 * The one entry of firmware that is older than the table: it ends where the table's footer would.
 * Throws {@link ParseError} when another GUID, or a length that cannot be, stands there.
 */
export function parseBareEntry(firmware: Uint8Array, guid: string): GuidTable {
  const end = firmware.length - BYTES_AFTER_TABLE;
  if (end < ENTRY_HEADER)
    throw new ParseError("TRUNCATED", "firmware image", {
      expected: `at least ${BYTES_AFTER_TABLE + ENTRY_HEADER} bytes`,
      found: `${firmware.length}`,
    });
  const name = guidName(guid) ?? guid;
  const header = readHeader(firmware, end);
  if (header.guid !== guid)
    throw new ParseError("MISSING", `${name}, neither in a GUIDed table nor bare`, {
      offset: end - 16,
      expected: guid,
      found: header.guid,
    });
  if (header.length < ENTRY_HEADER || header.length > end)
    throw new ParseError("OUT_OF_RANGE", `length of the bare ${name}`, {
      offset: end - ENTRY_HEADER,
      expected: `${ENTRY_HEADER} to ${end}`,
      found: `${header.length}`,
    });
  const offset = end - header.length;
  const data = firmware.subarray(offset, end - ENTRY_HEADER);
  return {
    offset,
    length: header.length,
    entries: [{ guid, name: guidName(guid), offset, data }],
    unread: undefined,
  };
}

/**
 * The entry with this GUID, or undefined.
 * Throws {@link ParseError} when two have it: QEMU would take the one nearest the footer, other readers the one
 * furthest from it, so such an image has two meanings.
 */
export function findGuidEntry(table: GuidTable, guid: string): GuidTableEntry | undefined {
  const [first, second] = table.entries.filter((entry) => entry.guid === guid);
  if (second !== undefined)
    throw new ParseError("DUPLICATE", `GUIDed table entry ${guidName(guid) ?? guid}`, {
      offset: second.offset,
      expected: "one entry",
      found: "two or more",
    });
  return first;
}

/** A reader over the data of a required entry; throws {@link ParseError} when it is absent or too short. */
export function openGuidEntry(table: GuidTable, guid: string, length: number): ByteReader {
  const name = `GUIDed table entry ${guidName(guid) ?? guid}`;
  const entry = findGuidEntry(table, guid);
  if (entry === undefined)
    throw new ParseError("MISSING", name, {
      offset: table.unread?.offset ?? table.offset,
      expected: "an entry of the table",
      found: table.unread?.why ?? `${table.entries.length} others`,
    });
  // QEMU does not look at the data's length and would read whatever stands behind a short entry.
  if (entry.data.length < length)
    throw new ParseError("TRUNCATED", name, {
      offset: entry.offset,
      expected: `${length} bytes of data`,
      found: `${entry.data.length}`,
    });
  return new ByteReader(entry.data, entry.offset);
}

function walk(firmware: Uint8Array, start: number, tableEnd: number): GuidTable {
  const entries: GuidTableEntry[] = [];
  let end = tableEnd - ENTRY_HEADER;
  let why = "too short for an entry";
  while (end - start >= ENTRY_HEADER) {
    const { guid, length } = readHeader(firmware, end);
    if (length < ENTRY_HEADER || length > end - start) {
      why = `an entry of ${length} bytes where ${ENTRY_HEADER} to ${end - start} fit`;
      break;
    }
    const offset = end - length;
    const data = firmware.subarray(offset, end - ENTRY_HEADER);
    entries.push({ guid, name: guidName(guid), offset, data });
    end = offset;
  }
  const unread = end === start ? undefined : { offset: start, length: end - start, why };
  return { offset: start, length: tableEnd - start, entries, unread };
}

/** Length and GUID of the entry that ends at `end`. */
function readHeader(firmware: Uint8Array, end: number): { length: number; guid: string } {
  const start = end - ENTRY_HEADER;
  const reader = new ByteReader(firmware.subarray(start, end), start);
  return {
    length: reader.u16le("GUIDed table entry length"),
    guid: formatGuid(reader.bytes(16, "GUIDed table entry GUID")),
  };
}
