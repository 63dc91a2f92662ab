/**
 * Encodes a newc archive header by header, so that an archive of any size is written without being held: whoever
 * writes puts each member's bytes behind its header. The headers depend on nothing but what is given.
 *
 * Hard links share an inode number and their count; the bytes stand behind the last of them and the others have size 0,
 * as Linux usr/gen_init_cpio.c writes them: init/initramfs.c links each to the first one and writes where it finds bytes.
 * @module
 */
import { ByteWriter, parseUtf8, utf8 } from "@bootproof/bytes";
import {
  CPIO_HEADER_LENGTH,
  CPIO_MAGIC,
  CPIO_TRAILER,
  FILE_TYPE,
  FILE_TYPE_MASK,
  MAX_CPIO_NAME,
  padding4,
} from "./cpio-entry.ts";

/** A device number. */
export interface CpioDevice {
  readonly major: number;
  readonly minor: number;
}

/** A member to encode. */
export interface CpioMember {
  /** Bytes of a relative path without empty, `.` or `..` parts. */
  readonly name: Uint8Array;
  /** Type and permission bits, as in `0o100755`. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes of a file, or of the target of a symbolic link. */
  readonly size?: number;
  /** Of a device node, and of nothing else. */
  readonly device?: CpioDevice;
  /** Which file this is one of several names of, and how many there are. */
  readonly shared?: { readonly file: object; readonly links: number };
}

/** What to write for a member: the header, then `size` bytes of it, then `padding` zeros. */
export interface EncodedMember {
  readonly header: Uint8Array;
  readonly size: number;
  readonly padding: number;
}

/** The largest number of a field, and so the largest file. */
export const MAX_CPIO_NUMBER = 0xffff_ffff;

const TYPES: readonly number[] = Object.values(FILE_TYPE);

/** Encodes the members of one archive, which must come in the byte order of their names. */
export class CpioEncoder {
  readonly #mtime: number;
  readonly #open = new Map<object, { readonly inode: number; readonly links: number; left: number }>();
  #previous = new Uint8Array();
  #inodes = 0;

  /** `mtime` counts seconds since 1970, for every member. */
  constructor(mtime: number) {
    if (!fits(mtime)) throw new RangeError(`cpio mtime must fit in 32 bits, not ${mtime}`);
    this.#mtime = mtime;
  }

  /** The next member; throws {@link RangeError} for one that makes no archive, is out of order or repeats a name. */
  member(member: CpioMember): EncodedMember {
    checkMember(member);
    this.#checkOrder(member.name);
    const { inode, links, last } = this.#inodeOf(member);
    const size = last ? (member.size ?? 0) : 0;
    const header = encodeHeader({ ...member, inode, links, size, mtime: this.#mtime });
    return { header, size, padding: padding4(size) };
  }

  /** What ends the archive; throws {@link RangeError} when a hard link is still missing. */
  end(): Uint8Array {
    if (this.#open.size > 0) throw new RangeError("cpio hard links are fewer than was said");
    return encodeHeader({ name: utf8(CPIO_TRAILER), mode: 0, inode: 0, links: 1, size: 0, mtime: 0 });
  }

  #checkOrder(name: Uint8Array): void {
    const order = compareBytes(this.#previous, name);
    if (order === 0) throw new RangeError(`cpio entry ${show(name)} appears twice`);
    if (order > 0) throw new RangeError(`cpio entry ${show(name)} comes after ${show(this.#previous)}`);
    this.#previous = name.slice();
  }

  #inodeOf({ shared, name }: CpioMember): { inode: number; links: number; last: boolean } {
    if (shared === undefined) return { inode: ++this.#inodes, links: 1, last: true };
    const known = this.#open.get(shared.file);
    const group = known ?? { inode: ++this.#inodes, links: shared.links, left: shared.links };
    if (group.links !== shared.links || !fits(shared.links) || shared.links === 0)
      throw new RangeError(`cpio entry ${show(name)}: hard links do not agree how many they are`);
    group.left--;
    if (group.left === 0) this.#open.delete(shared.file);
    else this.#open.set(shared.file, group);
    return { inode: group.inode, links: group.links, last: group.left === 0 };
  }
}

/** Byte order of names, so that a directory comes before what is in it on every machine. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const fits = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= MAX_CPIO_NUMBER;

function checkMember({ name, mode, uid = 0, gid = 0, size, device }: CpioMember): void {
  const refuse = (why: string): never => {
    throw new RangeError(`cpio entry ${show(name)}: ${why}`);
  };
  if (name.length === 0 || name.length >= MAX_CPIO_NAME)
    refuse(`name must have 1 to ${MAX_CPIO_NAME - 1} bytes`);
  const text = latin1(name);
  if (text === CPIO_TRAILER) refuse("this name ends an archive");
  if (text.includes("\0")) refuse("name contains a NUL");
  if (text.split("/").some((part) => part === "" || part === "." || part === ".."))
    refuse("name must be a relative path without empty, . or .. parts");
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o177777 || !TYPES.includes(mode & FILE_TYPE_MASK))
    refuse(`mode 0o${mode.toString(8)} has no known file type`);
  const type = mode & FILE_TYPE_MASK;
  const holdsData = type === FILE_TYPE.file || type === FILE_TYPE.symlink;
  if (size !== undefined && (!fits(size) || (size > 0 && !holdsData))) refuse("data does not belong here");
  if (type === FILE_TYPE.symlink && (size === undefined || size === 0))
    refuse("a symbolic link needs a target");
  const isDevice = type === FILE_TYPE.characterDevice || type === FILE_TYPE.blockDevice;
  if (isDevice !== (device !== undefined)) refuse("a device node, and nothing else, has a device number");
  if (![uid, gid, device?.major ?? 0, device?.minor ?? 0].every(fits))
    refuse("owner and device numbers must fit in 32 bits");
}

interface HeaderFields extends Omit<CpioMember, "shared"> {
  readonly inode: number;
  readonly links: number;
  readonly size: number;
  readonly mtime: number;
}

function encodeHeader({ name, mode, uid, gid, device, inode, links, size, mtime }: HeaderFields): Uint8Array {
  // prettier-ignore
  const fields = [
    inode, mode, uid ?? 0, gid ?? 0, links, mtime, size,
    0, 0 /* device the file is on */, device?.major ?? 0, device?.minor ?? 0, name.length + 1, 0 /* check */,
  ];
  const writer = new ByteWriter(CPIO_HEADER_LENGTH + name.length + 4);
  writer.bytes(utf8(CPIO_MAGIC + fields.map(hex8).join("")));
  writer.bytes(name).zeros(1);
  return writer.zeros(padding4(writer.length)).finish();
}

const hex8 = (value: number): string => value.toString(16).padStart(8, "0");

const latin1 = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

function show(name: Uint8Array): string {
  try {
    return JSON.stringify(parseUtf8(name, "cpio name"));
  } catch {
    return JSON.stringify(latin1(name));
  }
}
