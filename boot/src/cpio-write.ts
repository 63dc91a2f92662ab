/**
 * Writes a newc archive whose bytes depend on nothing but names, modes and contents: sorted by name, owned by
 * root, inode numbers counted from 1, one link each, one time for all.
 * @module
 */
import { ByteWriter, parseUtf8, utf8 } from "@bootproof/bytes";
import {
  CPIO_MAGIC,
  CPIO_TRAILER,
  FILE_TYPE,
  FILE_TYPE_MASK,
  MAX_CPIO_NAME,
  padding4,
} from "./cpio-entry.ts";

/** One entry to write. */
export interface CpioInput {
  /** Relative path without `.` or `..`, as in `bin/busybox`. */
  readonly name: string;
  /** Type and permission bits, as in `0o100755`. */
  readonly mode: number;
  /** Contents of a file, or the target of a symbolic link. */
  readonly data?: Uint8Array;
  /** Device number of a device node. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/** What may vary between archives of the same entries. */
export interface CpioOptions {
  /** Seconds since 1970 for every entry; 0 when absent. */
  readonly mtime?: number;
}

const MAX_U32 = 0xffff_ffff;
const TYPES: readonly number[] = Object.values(FILE_TYPE);

/** The archive's bytes. Throws {@link RangeError} for entries that make no archive: bad or repeated names, data where none belongs. */
export function writeCpio(
  entries: Iterable<CpioInput>,
  { mtime = 0 }: CpioOptions = {},
): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(mtime) || mtime < 0 || mtime > MAX_U32)
    throw new RangeError(`cpio mtime must fit in 32 bits, not ${mtime}`);
  const sorted = [...entries].map(checkEntry).sort(byName);
  checkUnique(sorted);
  const size = sorted.reduce((sum, { name, data }) => sum + 128 + name.length + (data?.length ?? 0), 512);
  const writer = new ByteWriter(size);
  sorted.forEach((entry, index) => writeEntry(writer, entry, index + 1, mtime));
  writeEntry(writer, { name: utf8(CPIO_TRAILER), mode: 0, data: undefined, device: undefined }, 0, 0);
  return writer.finish();
}

interface CheckedEntry {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly data: Uint8Array | undefined;
  readonly device: { readonly major: number; readonly minor: number } | undefined;
}

function checkEntry({ name, mode, data, device }: CpioInput): CheckedEntry {
  const refuse = (why: string): never => {
    throw new RangeError(`cpio entry ${JSON.stringify(name)}: ${why}`);
  };
  const bytes = utf8(name);
  if (bytes.length === 0 || bytes.length >= MAX_CPIO_NAME)
    refuse(`name must have 1 to ${MAX_CPIO_NAME - 1} bytes`);
  if (name === CPIO_TRAILER) refuse("this name ends an archive");
  if (name.includes("\0")) refuse("name contains a NUL");
  if (name.split("/").some((part) => ["", ".", ".."].includes(part)))
    refuse("name must be a relative path without empty, . or .. parts");
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o177777 || !TYPES.includes(mode & FILE_TYPE_MASK))
    refuse(`mode 0o${mode.toString(8)} has no known file type`);
  const type = mode & FILE_TYPE_MASK;
  const holdsData = type === FILE_TYPE.file || type === FILE_TYPE.symlink;
  if (data !== undefined && data.length > (holdsData ? MAX_U32 : 0)) refuse("data does not belong here");
  if (type === FILE_TYPE.symlink && (data === undefined || data.length === 0))
    refuse("a symbolic link needs a target");
  const isDevice = type === FILE_TYPE.characterDevice || type === FILE_TYPE.blockDevice;
  if (isDevice !== (device !== undefined)) refuse("a device node, and nothing else, has a device number");
  return { name: bytes, mode, data, device };
}

/** Byte order of the names, so that a directory comes before what is in it on every machine. */
function byName(a: CheckedEntry, b: CheckedEntry): number {
  const shared = Math.min(a.name.length, b.name.length);
  for (let index = 0; index < shared; index++) {
    const difference = (a.name[index] ?? 0) - (b.name[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.name.length - b.name.length;
}

function checkUnique(sorted: readonly CheckedEntry[]): void {
  sorted.forEach((entry, index) => {
    const next = sorted[index + 1];
    if (next !== undefined && byName(entry, next) === 0)
      throw new RangeError(`cpio entry ${parseUtf8(entry.name, "cpio name")} appears twice`);
  });
}

function writeEntry(writer: ByteWriter, entry: CheckedEntry, inode: number, mtime: number): void {
  const { name, mode, data = new Uint8Array(), device } = entry;
  // prettier-ignore
  const fields = [
    inode, mode, 0 /* uid */, 0 /* gid */, 1 /* nlink */, mtime, data.length,
    0, 0 /* device the file is on */, device?.major ?? 0, device?.minor ?? 0, name.length + 1, 0 /* check */,
  ];
  writer.bytes(utf8(CPIO_MAGIC + fields.map(hex8).join("")));
  writer.bytes(name).zeros(1);
  writer.zeros(padding4(writer.length));
  writer.bytes(data);
  writer.zeros(padding4(writer.length));
}

function hex8(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > MAX_U32)
    throw new RangeError(`${value} does not fit a cpio field`);
  return value.toString(16).padStart(8, "0");
}
