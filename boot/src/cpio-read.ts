/**
 * Reads newc archives strictly: every field is hex, every padding byte zero, every length inside the input.
 * @module
 */
import { ByteReader, ParseError, parseUtf8, quote } from "@bootproof/bytes";
import {
  CPIO_CRC_MAGIC,
  CPIO_HEADER_LENGTH,
  CPIO_MAGIC,
  CPIO_TRAILER,
  FILE_TYPE,
  FILE_TYPE_MASK,
  MAX_CPIO_NAME,
  padding4,
} from "./cpio-entry.ts";

/** One entry as read. Its name is untrusted: look at `unsafe` before using it as a path. */
export interface CpioEntry {
  /** As text, with bytes that are no UTF-8 as `\xff`. */
  readonly name: string;
  readonly mode: number;
  readonly inode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly mtime: number;
  readonly device: { readonly major: number; readonly minor: number };
  /** A view into the input. */
  readonly data: Uint8Array;
  /** Offset of the header in the input. */
  readonly offset: number;
  /** Why the name must not be used as a path below a root: absolute, or leaving it. */
  readonly unsafe: "absolute" | "traversal" | undefined;
}

/** One archive and where it ends. */
export interface CpioArchive {
  readonly offset: number;
  /** Up to and including the trailer, without padding behind it. */
  readonly length: number;
  readonly entries: readonly CpioEntry[];
}

/** Reads the archive that starts at `offset`, or throws {@link ParseError}. What stands behind its trailer is not read. */
export function readCpio(bytes: Uint8Array, offset = 0): CpioArchive {
  const reader = new ByteReader(bytes.subarray(offset), offset);
  const entries: CpioEntry[] = [];
  for (;;) {
    const entry = readEntry(reader, offset);
    if (entry.name === CPIO_TRAILER) {
      if (entry.data.length > 0)
        throw new ParseError("OUT_OF_RANGE", "cpio trailer size", { offset: entry.offset, expected: "0" });
      return { offset, length: reader.offset - offset, entries };
    }
    entries.push(entry);
  }
}

/** Whether a newc archive may start at `offset`. */
export function startsCpio(bytes: Uint8Array, offset: number): boolean {
  const magic = String.fromCharCode(...bytes.subarray(offset, offset + CPIO_MAGIC.length));
  return magic === CPIO_MAGIC || magic === CPIO_CRC_MAGIC;
}

function readEntry(reader: ByteReader, base: number): CpioEntry {
  const offset = reader.offset;
  const header = readHeader(reader.bytes(CPIO_HEADER_LENGTH, "cpio header"), offset);
  const name = readName(reader, header("namesize", 11));
  reader.zeros(padding4(reader.offset - base), "cpio padding behind a name");
  const data = reader.bytes(header("filesize", 6), `data of cpio entry ${quote(name)}`);
  const padding = padding4(reader.offset - base);
  // Archives end with their trailer's data, and some writers leave its padding out.
  reader.zeros(
    name === CPIO_TRAILER ? Math.min(padding, reader.remaining) : padding,
    "cpio padding behind data",
  );
  const mode = header("mode", 1);
  checkSum(header("magic", -1) === 2, { mode, data, offset }, header("check", 12));
  return {
    name,
    mode,
    inode: header("ino", 0),
    uid: header("uid", 2),
    gid: header("gid", 3),
    links: header("nlink", 4),
    mtime: header("mtime", 5),
    device: { major: header("rdevmajor", 9), minor: header("rdevminor", 10) },
    data,
    offset,
    unsafe: unsafePath(name),
  };
}

/** Numbers of a header by field position; -1 is the last digit of the magic. */
function readHeader(bytes: Uint8Array, offset: number): (field: string, position: number) => number {
  const text = String.fromCharCode(...bytes);
  const magic = text.slice(0, CPIO_MAGIC.length);
  if (magic !== CPIO_MAGIC && magic !== CPIO_CRC_MAGIC)
    throw new ParseError("BAD_MAGIC", "cpio magic", { offset, expected: CPIO_MAGIC, found: quote(magic) });
  return (field, position) => {
    if (position < 0) return Number(magic.at(-1));
    const start = CPIO_MAGIC.length + position * 8;
    const digits = text.slice(start, start + 8);
    if (!/^[0-9a-fA-F]{8}$/.test(digits))
      throw new ParseError("BAD_ENCODING", `cpio field ${field}`, {
        offset: offset + start,
        expected: "8 hex digits",
        found: quote(digits),
      });
    return Number.parseInt(digits, 16);
  };
}

function readName(reader: ByteReader, size: number): string {
  const offset = reader.offset;
  if (size < 2 || size > MAX_CPIO_NAME)
    throw new ParseError("OUT_OF_RANGE", "cpio namesize", {
      offset,
      expected: `2 to ${MAX_CPIO_NAME}`,
      found: `${size}`,
    });
  const name = asText(reader.bytes(size - 1, "cpio name"));
  reader.zeros(1, "end of cpio name");
  if (name.includes("\0")) throw new ParseError("NOT_CANONICAL", "cpio name", { offset, found: quote(name) });
  return name;
}

/** Names are bytes to the kernel. One that is no UTF-8 is shown with its bytes beyond ASCII as `\xff`. */
function asText(name: Uint8Array): string {
  try {
    return parseUtf8(name, "cpio name");
  } catch {
    return [...name]
      .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`))
      .join("");
  }
}

function checkSum(
  summed: boolean,
  { mode, data, offset }: Pick<CpioEntry, "mode" | "data" | "offset">,
  expected: number,
): void {
  // Linux and GNU cpio sum the contents of files only.
  const counted = summed && (mode & FILE_TYPE_MASK) === FILE_TYPE.file;
  const sum = counted ? data.reduce((total, byte) => (total + byte) >>> 0, 0) : 0;
  if (sum !== expected)
    throw new ParseError("BAD_DIGEST", "cpio check", { offset, expected: `${sum}`, found: `${expected}` });
}

function unsafePath(name: string): CpioEntry["unsafe"] {
  if (name.startsWith("/")) return "absolute";
  return name.split("/").includes("..") ? "traversal" : undefined;
}
