/**
 * The 548 bytes at the start of an EIF, and the 12 bytes before each section.
 * @module
 */
import { ByteReader, ByteWriter, ParseError, utf8 } from "@bootproof/bytes";
import {
  EIF_HEADER_SIZE,
  EIF_MAX_SECTIONS,
  EIF_SECTION_HEADER_SIZE,
  type UntrustedEifHeader,
} from "./layout.ts";

const MAGIC = ".eif";

/** The header of a section, unjudged. */
export interface UntrustedSectionHeader {
  readonly typeNumber: number;
  readonly flags: number;
  readonly size: bigint;
}

/** Whether these bytes start as an EIF does. */
export function startsEif(bytes: Uint8Array): boolean {
  return utf8(MAGIC).every((byte, index) => bytes[index] === byte);
}

/** Takes the header apart without judging it; throws {@link ParseError} for a short one and for another file. */
export function parseEifHeader(bytes: Uint8Array): UntrustedEifHeader {
  const reader = new ByteReader(bytes.subarray(0, EIF_HEADER_SIZE));
  if (!startsEif(reader.bytes(MAGIC.length, "EIF magic")))
    throw new ParseError("BAD_MAGIC", "EIF magic", { offset: 0, expected: MAGIC });
  return {
    version: reader.u16be("EIF version"), // 0x004
    flags: reader.u16be("EIF flags"), // 0x006
    defaultMemory: reader.u64be("EIF default_mem"), // 0x008
    defaultCpus: reader.u64be("EIF default_cpus"), // 0x010
    reserved: reader.u16be("EIF reserved"), // 0x018
    sectionCount: reader.u16be("EIF num_sections"), // 0x01a
    sectionOffsets: readSlots(reader, "EIF section_offsets"), // 0x01c
    sectionSizes: readSlots(reader, "EIF section_sizes"), // 0x11c
    unused: reader.u32be("EIF unused"), // 0x21c
    crc32: reader.u32be("EIF eif_crc32"), // 0x220
  };
}

/** The 548 bytes of a header. */
export function encodeEifHeader(header: UntrustedEifHeader): Uint8Array {
  const writer = new ByteWriter(EIF_HEADER_SIZE)
    .bytes(utf8(MAGIC))
    .u16be(header.version)
    .u16be(header.flags)
    .u64be(header.defaultMemory)
    .u64be(header.defaultCpus)
    .u16be(header.reserved)
    .u16be(header.sectionCount);
  for (const slots of [header.sectionOffsets, header.sectionSizes])
    for (let index = 0; index < EIF_MAX_SECTIONS; index++) writer.u64be(slots[index] ?? 0n);
  return writer.u32be(header.unused).u32be(header.crc32).finish();
}

/** Takes a section's header apart without judging it; throws {@link ParseError} for a short one. */
export function parseSectionHeader(bytes: Uint8Array, offset: number): UntrustedSectionHeader {
  const reader = new ByteReader(bytes, offset);
  return {
    typeNumber: reader.u16be("EIF section type"),
    flags: reader.u16be("EIF section flags"),
    size: reader.u64be("EIF section size"),
  };
}

/** The 12 bytes before a section. */
export function encodeSectionHeader(header: UntrustedSectionHeader): Uint8Array {
  return new ByteWriter(EIF_SECTION_HEADER_SIZE)
    .u16be(header.typeNumber)
    .u16be(header.flags)
    .u64be(header.size)
    .finish();
}

function readSlots(reader: ByteReader, field: string): bigint[] {
  return Array.from({ length: EIF_MAX_SECTIONS }, () => reader.u64be(field));
}
