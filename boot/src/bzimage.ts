/**
 * The header of a Linux x86 kernel image (bzImage).
 * Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
 * @module
 */
import { ByteReader, ParseError } from "@bootproof/bytes";

const SETUP_SECTS_AT = 0x1f1;
const MAGIC_AT = 0x202;
/** "HdrS", little-endian. */
const MAGIC = 0x5372_6448;
const BOOT_FLAG = 0xaa55;
const SECTOR = 512;
/** The unit of syssize. */
const PARAGRAPH = 16;
/** A version string has no length; longer than this it is none. */
const MAX_VERSION = 256;
const PE_POINTER_AT = 0x3c;
/** "PE\0\0", little-endian. */
const PE_MAGIC = 0x0000_4550;

const XLOAD_FLAGS = [
  "kernel64",
  "canBeLoadedAbove4G",
  "efiHandover32",
  "efiHandover64",
  "efiKexec",
  "fiveLevel",
  "fiveLevelEnabled",
  "memEncryption",
] as const;

/** A kernel image's header. Fields that its protocol version lacks are undefined. */
export interface KernelHeader {
  /** Boot protocol, as in `2.15`. */
  readonly protocol: string;
  /** Sectors of real-mode code behind the boot sector. */
  readonly setupSectors: number;
  /** Bytes before the protected-mode kernel. */
  readonly setupLength: number;
  /** Length of the whole image in bytes as it says, a checksum or signature appended later left out. */
  readonly declaredLength: number | undefined;
  /** Whether the kernel is loaded at 1 MiB: a bzImage, not a zImage. */
  readonly loadedHigh: boolean;
  /** The text at `kernel_version`, self-reported. */
  readonly version: string | undefined;
  readonly relocatable: boolean | undefined;
  readonly xloadFlags: readonly string[] | undefined;
  /** Longest command line without its NUL. */
  readonly commandLineSize: number | undefined;
  readonly preferredAddress: bigint | undefined;
  readonly initSize: number | undefined;
  /** Whether the image is also a PE file that UEFI can start. */
  readonly efiStub: boolean;
}

/** The header, or undefined when the file is no Linux kernel image. Throws {@link ParseError} when it is a broken one. */
export function parseKernel(bytes: Uint8Array): KernelHeader | undefined {
  if (u32At(bytes, MAGIC_AT) !== MAGIC) return undefined;
  return parseHeader(bytes);
}

function parseHeader(bytes: Uint8Array): KernelHeader {
  const reader = new ByteReader(bytes);
  reader.skip(SETUP_SECTS_AT, "boot sector");
  const declared = reader.u8("setup_sects");
  reader.skip(0x1fe - 0x1f2, "boot sector");
  const flag = reader.u16le("boot_flag");
  if (flag !== BOOT_FLAG)
    throw new ParseError("BAD_MAGIC", "boot_flag", {
      offset: 0x1fe,
      expected: "0xaa55",
      found: `0x${flag.toString(16)}`,
    });
  reader.skip(2 + 4, "jump and header");
  const protocol = reader.u16le("protocol version");
  // For backwards compatibility 0 means 4.
  const setupSectors = declared === 0 ? 4 : declared;
  const setupLength = (setupSectors + 1) * SECTOR;
  if (setupLength > bytes.length)
    throw new ParseError("TRUNCATED", "real-mode kernel code", {
      offset: SETUP_SECTS_AT,
      expected: `${setupLength} bytes`,
      found: `${bytes.length}`,
    });
  return {
    protocol: `${protocol >> 8}.${(protocol & 0xff).toString().padStart(2, "0")}`,
    setupSectors,
    setupLength,
    efiStub: isPe(bytes),
    ...parseVersioned(bytes, protocol, setupLength),
  };
}

type VersionedFields = Omit<KernelHeader, "protocol" | "setupSectors" | "setupLength" | "efiStub">;

/** Fields that came with later protocol versions, in the order of the specification. */
function parseVersioned(bytes: Uint8Array, protocol: number, setupLength: number): VersionedFields {
  const since = <T>(version: number, at: number, read: (reader: ByteReader) => T): T | undefined =>
    protocol < version ? undefined : read(new ByteReader(bytes.subarray(Math.min(at, bytes.length)), at));
  const flags = since(0x20c, 0x236, (reader) => reader.u16le("xloadflags"));
  return {
    declaredLength: since(0x204, 0x1f4, (reader) => setupLength + PARAGRAPH * reader.u32le("syssize")),
    version: since(0x200, 0x20e, (reader) => readVersion(bytes, reader.u16le("kernel_version"))),
    loadedHigh: since(0x200, 0x211, (reader) => (reader.u8("loadflags") & 1) === 1) ?? false,
    relocatable: since(0x205, 0x234, (reader) => reader.u8("relocatable_kernel") !== 0),
    xloadFlags: flags === undefined ? undefined : XLOAD_FLAGS.filter((_, bit) => (flags >> bit) & 1),
    commandLineSize: since(0x206, 0x238, (reader) => reader.u32le("cmdline_size")),
    preferredAddress: since(0x20a, 0x258, (reader) => reader.u64le("pref_address")),
    initSize: since(0x20a, 0x260, (reader) => reader.u32le("init_size")),
  };
}

/** `kernel_version` points 0x200 bytes before a NUL-terminated string; 0 means there is none. */
function readVersion(bytes: Uint8Array, pointer: number): string | undefined {
  if (pointer === 0) return undefined;
  const start = pointer + SECTOR;
  const window = bytes.subarray(start, start + MAX_VERSION);
  const length = window.indexOf(0);
  if (length < 0)
    throw new ParseError("OUT_OF_RANGE", "kernel version string", {
      offset: Math.min(start, bytes.length),
      expected: `a NUL within ${MAX_VERSION} bytes`,
    });
  // Printable ASCII only: this text goes to terminals.
  return String.fromCharCode(...window.subarray(0, length)).replace(/[^ -~]/g, "?");
}

function isPe(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x4d || bytes[1] !== 0x5a) return false;
  const pointer = u32At(bytes, PE_POINTER_AT);
  return pointer !== undefined && u32At(bytes, pointer) === PE_MAGIC;
}

function u32At(bytes: Uint8Array, offset: number): number | undefined {
  return offset + 4 > bytes.length ? undefined : new ByteReader(bytes.subarray(offset)).u32le("field");
}
