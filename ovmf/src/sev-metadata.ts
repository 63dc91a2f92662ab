/**
 * SEV metadata of an OVMF image: the guest pages that the VMM prepares before launch.
 * edk2 OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm: "ASEV", u32 length, u32 version, u32 number of sections, then
 * 12 bytes a section: u32 guest address, u32 size, u32 type. The GUIDed table gives its distance from the end.
 * @module
 */
import { ByteReader, equalBytes, formatHex, ParseError, utf8 } from "@bootproof/bytes";
import { type GuidTable, openGuidEntry } from "./guid-table.ts";
import { SEV_METADATA_GUID } from "./guids.ts";

const SIGNATURE = utf8("ASEV");
const HEADER = 16;
const DESCRIPTOR = 12;
/** edk2 lists seven; a 16 MiB image could claim over a million. */
const MAX_SECTIONS = 1024;

/** Section types that edk2 defines. */
export const SEV_SECTION_TYPE = {
  SNP_SEC_MEM: 1,
  SNP_SECRETS: 2,
  CPUID: 3,
  SVSM_CAA: 4,
  SNP_KERNEL_HASHES: 0x10,
} as const;

const TYPE_NAMES = new Map(Object.entries(SEV_SECTION_TYPE).map(([name, type]) => [type as number, name]));

/** One section descriptor, not yet checked for sense: any address, size and type may stand here. */
export interface SevSection {
  /** Position in descriptor order, from 0: the order of measurement. */
  readonly index: number;
  readonly guestAddress: number;
  readonly size: number;
  readonly type: number;
  /** edk2's name of the type, or undefined when it is none that we know. */
  readonly name: string | undefined;
  /** Offset of the descriptor in the image. */
  readonly offset: number;
}

/** The metadata block. */
export interface SevMetadata {
  readonly offset: number;
  readonly length: number;
  readonly sections: readonly SevSection[];
  /** Bytes of `length` behind the last section, which nobody reads. */
  readonly unread: number;
}

/** Parses the SEV metadata that `table` points at, or throws {@link ParseError}. */
export function parseSevMetadata(firmware: Uint8Array, table: GuidTable): SevMetadata {
  const entry = openGuidEntry(table, SEV_METADATA_GUID, 4);
  const pointer = entry.offset;
  const fromEnd = entry.u32le("SEV metadata offset");
  if (fromEnd < HEADER || fromEnd > firmware.length)
    throw new ParseError("OUT_OF_RANGE", "SEV metadata offset from the end of the image", {
      offset: pointer,
      expected: `${HEADER} to ${firmware.length}`,
      found: `${fromEnd}`,
    });
  const offset = firmware.length - fromEnd;
  const reader = new ByteReader(firmware.subarray(offset), offset);
  const { length, count } = readHeader(reader, fromEnd);
  const sections = Array.from({ length: count }, (_, index) => readSection(reader, index));
  return { offset, length, sections, unread: length - HEADER - count * DESCRIPTOR };
}

function readHeader(reader: ByteReader, available: number): { length: number; count: number } {
  const start = reader.offset;
  const signature = reader.bytes(4, "SEV metadata signature");
  if (!equalBytes(signature, SIGNATURE))
    throw new ParseError("BAD_MAGIC", "SEV metadata signature", {
      offset: start,
      expected: `${formatHex(SIGNATURE)} ("ASEV")`,
      found: formatHex(signature),
    });
  const length = reader.u32le("SEV metadata length");
  const version = reader.u32le("SEV metadata version");
  if (version !== 1)
    throw new ParseError("UNSUPPORTED", "SEV metadata version", {
      offset: start + 8,
      expected: "1",
      found: `${version}`,
    });
  const count = reader.u32le("number of SEV metadata sections");
  if (length > available)
    throw new ParseError("OUT_OF_RANGE", "SEV metadata length", {
      offset: start + 4,
      expected: `at most ${available}, the end of the image`,
      found: `${length}`,
    });
  // QEMU copies `length` bytes and then trusts the count: beyond them it reads foreign memory.
  if (count * DESCRIPTOR + HEADER > length)
    throw new ParseError("OUT_OF_RANGE", "number of SEV metadata sections", {
      offset: start + 12,
      expected: `at most ${Math.max(0, Math.floor((length - HEADER) / DESCRIPTOR))} in ${length} bytes`,
      found: `${count}`,
    });
  if (count > MAX_SECTIONS)
    throw new ParseError("TOO_LARGE", "number of SEV metadata sections", {
      offset: start + 12,
      expected: `at most ${MAX_SECTIONS}`,
      found: `${count}`,
    });
  return { length, count };
}

function readSection(reader: ByteReader, index: number): SevSection {
  const offset = reader.offset;
  const guestAddress = reader.u32le("SEV metadata section guest address");
  const size = reader.u32le("SEV metadata section size");
  const type = reader.u32le("SEV metadata section type");
  return { index, guestAddress, size, type, name: TYPE_NAMES.get(type), offset };
}
