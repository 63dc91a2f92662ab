/**
 * The fixed header of an IGVM file: IGVM_FIXED_HEADER (24 bytes) and IGVM_FIXED_HEADER_V2 (32 bytes).
 * @module
 */
import { ByteReader, crc32, equalBytes, formatHex, ParseError, utf8 } from "@bootproof/bytes";

const MAGIC = utf8("IGVM");
const LENGTH_V1 = 24;
const LENGTH_V2 = 32;
const CHECKSUM_AT = 20;
const PAGE_SIZE = 4096;
const ARCHITECTURES = ["x64", "aarch64"] as const;
/** OpenHCL's largest are about 100 MiB. */
const MAX_FILE = 512 * 1024 * 1024;

/** Where the variable headers and the file data are. */
export interface IgvmFixedHeader {
  readonly version: 1 | 2;
  readonly architecture: "x64" | "aarch64";
  readonly headersStart: number;
  /** End of the variable headers: file data starts here. */
  readonly headersEnd: number;
  readonly checksum: number;
}

/** Reads the fixed header and checks size and checksum of the file, or throws {@link ParseError}. */
export function readFixedHeader(file: Uint8Array): IgvmFixedHeader {
  if (file.length > MAX_FILE)
    throw new ParseError("TOO_LARGE", "IGVM file", {
      expected: `at most ${MAX_FILE} bytes`,
      found: `${file.length}`,
    });
  const reader = new ByteReader(file);
  const magic = reader.bytes(4, "IGVM magic");
  if (!equalBytes(magic, MAGIC))
    throw new ParseError("BAD_MAGIC", "IGVM magic", {
      offset: 0,
      expected: `${formatHex(MAGIC)} ("IGVM")`,
      found: formatHex(magic),
    });
  const version = readVersion(reader);
  const headersStart = reader.u32le("offset of IGVM variable headers");
  const headersSize = reader.u32le("size of IGVM variable headers");
  const total = reader.u32le("total size of IGVM file");
  const checksum = reader.u32le("checksum of IGVM headers");
  const architecture = version === 1 ? "x64" : readMachine(reader);
  const fixedLength = version === 1 ? LENGTH_V1 : LENGTH_V2;
  const fault = (at: string, offset: number, expected: string, found: number): ParseError =>
    new ParseError("OUT_OF_RANGE", at, { offset, expected, found: `${found}` });
  if (total !== file.length) throw fault("total size of IGVM file", 16, `${file.length}`, total);
  if (headersStart < fixedLength)
    throw fault("offset of IGVM variable headers", 8, `at least ${fixedLength}`, headersStart);
  const headersEnd = headersStart + headersSize;
  // The loaders' own parser demands at least one byte of file data behind the headers.
  if (headersEnd >= file.length)
    throw fault("end of IGVM variable headers", 12, `below ${file.length}`, headersEnd);
  checkChecksum(file, fixedLength, headersStart, headersEnd, checksum);
  return { version, architecture, headersStart, headersEnd, checksum };
}

function readVersion(reader: ByteReader): 1 | 2 {
  const offset = reader.offset;
  const version = reader.u32le("IGVM format version");
  if (version === 1 || version === 2) return version;
  throw new ParseError("UNSUPPORTED", "IGVM format version", {
    offset,
    expected: "1 or 2",
    found: `${version}`,
  });
}

function readMachine(reader: ByteReader): "x64" | "aarch64" {
  const offset = reader.offset;
  const architecture = reader.u32le("IGVM architecture");
  const name = ARCHITECTURES[architecture];
  if (name === undefined)
    throw new ParseError("UNSUPPORTED", "IGVM architecture", {
      offset,
      expected: "0 (x64) or 1 (aarch64)",
      found: `${architecture}`,
    });
  const pageSize = reader.u32le("IGVM page size");
  if (pageSize !== PAGE_SIZE)
    throw new ParseError("UNSUPPORTED", "IGVM page size", {
      offset: offset + 4,
      expected: `${PAGE_SIZE}`,
      found: `${pageSize}`,
    });
  return name;
}

/** CRC-32 over both kinds of header, with the field itself taken as zero. */
function checkChecksum(
  file: Uint8Array,
  fixedLength: number,
  start: number,
  end: number,
  stored: number,
): void {
  const fixed = file.slice(0, fixedLength);
  fixed.fill(0, CHECKSUM_AT, CHECKSUM_AT + 4);
  const computed = crc32(file.subarray(start, end), crc32(fixed));
  if (computed !== stored)
    throw new ParseError("BAD_DIGEST", "checksum of IGVM headers", {
      offset: CHECKSUM_AT,
      expected: hex(computed),
      found: hex(stored),
    });
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
