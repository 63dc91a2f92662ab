/**
 * What an enclave image file (EIF) consists of: header, sections, and the one reading that all loaders agree on.
 * aws-nitro-enclaves-image-format, "Enclave Image File (EIF) format", version 4. All numbers are big endian.
 * @module
 */

/** Length in bytes of the file's header. */
export const EIF_HEADER_SIZE = 548;
/** Length in bytes of the header of each section. */
export const EIF_SECTION_HEADER_SIZE = 12;
/** Most sections that the header has places for. */
export const EIF_MAX_SECTIONS = 32;
/** Offset of the CRC in the header: the CRC covers the bytes before it and all sections. */
export const EIF_CRC_OFFSET = 0x220;
/** Header flag: the image is for aarch64. */
export const EIF_FLAG_AARCH64 = 1;

/** Kinds of sections. */
export type EifSectionType = "kernel" | "cmdline" | "ramdisk" | "signature" | "metadata";

/** The processors that enclaves run on. */
export type EifArchitecture = "x86_64" | "aarch64";

/** Numbers of the kinds of sections. */
export const EIF_SECTION_NUMBERS: Readonly<Record<EifSectionType, number>> = {
  kernel: 1,
  cmdline: 2,
  ramdisk: 3,
  signature: 4,
  metadata: 5,
};

/** A file that is read piece by piece. */
export interface EifSource {
  /** How messages call it. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** Reads exactly `length` bytes, all of them inside the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A section as one way of reading finds it: inside the file, and nothing else about it is sure. */
export interface UntrustedEifSection {
  /** Undefined for a number that no version gives a meaning. */
  readonly type: EifSectionType | undefined;
  readonly typeNumber: number;
  readonly flags: number;
  /** Where the section's 12-byte header starts. */
  readonly headerOffset: number;
  /** Where its bytes start. */
  readonly offset: number;
  /** How many there are. */
  readonly size: number;
}

/** A section of a file with one reading. */
export interface EifSection extends UntrustedEifSection {
  readonly type: EifSectionType;
}

/** The header's fields, unjudged. */
export interface UntrustedEifHeader {
  readonly version: number;
  readonly flags: number;
  /** Bytes of memory the image asks for; no tool and no platform uses it. */
  readonly defaultMemory: bigint;
  /** vCPUs the image asks for; no tool and no platform uses it. */
  readonly defaultCpus: bigint;
  readonly reserved: number;
  readonly sectionCount: number;
  /** Offsets of section headers, 32 of them. */
  readonly sectionOffsets: readonly bigint[];
  /** Sizes of sections without their headers, 32 of them. */
  readonly sectionSizes: readonly bigint[];
  readonly unused: number;
  readonly crc32: number;
}

/** How every loader reads the file. Sections are in file order, follow one another and fill the file. */
export interface EifLayout {
  readonly version: number;
  readonly flags: number;
  readonly architecture: EifArchitecture;
  readonly defaultMemory: bigint;
  readonly defaultCpus: bigint;
  readonly sections: readonly EifSection[];
  /** What the header says; whoever hashes the file compares. */
  readonly crc32: number;
  /** Length of the file in bytes. */
  readonly size: number;
}

/** The kind of section that a number stands for, or undefined. */
export function eifSectionType(typeNumber: number): EifSectionType | undefined {
  const names = Object.keys(EIF_SECTION_NUMBERS) as EifSectionType[];
  return names.find((name) => EIF_SECTION_NUMBERS[name] === typeNumber);
}
