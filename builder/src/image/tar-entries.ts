/**
 * Reads a tar that lies in a file, entry by entry, without touching what is in the files: names as bytes, extended
 * headers, and where each file's bytes are. tar-stream, the door for what comes as a stream, turns names into text,
 * gives no place of sparse maps and applies global headers that container runtimes leave alone.
 *
 * Tools disagree about broken and unusual tars; whatever would have two readings is refused: an extended header that is
 * not whole, a second name for one entry, global headers that mean something, bytes behind the end.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { byteText, type ByteText, show } from "./byte-text.ts";
import { BLOCK, isZeroBlock, parseTarHeader, type TarHeader } from "./tar-header.ts";
import { NO_RECORDS, parsePax, type PaxRecords } from "./tar-pax.ts";
import { type Extent, readGnuSparse, readPaxSparse } from "./tar-sparse.ts";

/** What an entry is. */
export type TarEntryType =
  "file" | "hardlink" | "symlink" | "character-device" | "block-device" | "directory" | "fifo" | "unknown";

/** What a tar says of an entry, before anything of it is believed. */
export interface UntrustedTarEntry {
  readonly type: TarEntryType;
  /** The type flag, for those that are unknown. */
  readonly flag: string;
  readonly name: ByteText;
  readonly linkname: ByteText;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the file, holes included. */
  readonly size: number;
  /** Where a file's bytes lie in the tar. */
  readonly position: number;
  /** Only of files with holes. */
  readonly extents: readonly Extent[] | undefined;
  readonly device: { readonly major: number; readonly minor: number };
  /** Names of extended attributes. */
  readonly attributes: readonly string[];
  /** Where its header stands in the tar. */
  readonly offset: number;
}

/** A tar to read from: bytes at a place, fewer at the end. */
export interface TarSource {
  readonly size: number;
  read(position: number, length: number): Uint8Array;
}

const TYPES: Readonly<Record<string, TarEntryType>> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  S: "file",
};
/** Extended headers and long names; Go's archive/tar has the same limit. */
const MAX_SPECIAL = 2 ** 20;
/** What a global header must not say, since some tools would believe it. */
const MEANINGFUL = /^(?:path|linkpath|size|uid|gid|GNU\.sparse\..*|SCHILY\.xattr\..*|SCHILY\.acl\..*)$/;
const ATTRIBUTE = /^(?:SCHILY\.xattr\.|LIBARCHIVE\.xattr\.|SCHILY\.(?=acl\.))(.+)$/s;

/** Entries of a tar, in order; throws {@link ParseError}. */
export function* readTarEntries(source: TarSource): Generator<UntrustedTarEntry> {
  const reader = new EntryReader(source);
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) yield entry;
}

/** What stands before an entry's own header. */
interface Announced {
  records: PaxRecords | undefined;
  name: ByteText | undefined;
  linkname: ByteText | undefined;
}

class EntryReader {
  readonly #source: TarSource;
  #at = 0;

  constructor(source: TarSource) {
    this.#source = source;
  }

  next(): UntrustedTarEntry | undefined {
    const announced: Announced = { records: undefined, name: undefined, linkname: undefined };
    for (;;) {
      const offset = this.#at;
      const header = this.#header();
      if (header === undefined) {
        if (Object.values(announced).some((part) => part !== undefined))
          throw new ParseError("TRUNCATED", "tar", {
            offset,
            expected: "an entry behind its extended header",
          });
        return undefined;
      }
      if (!this.#announce(header, announced, offset)) return this.#entry(header, announced, offset);
    }
  }

  #header(): TarHeader | undefined {
    const offset = this.#at;
    const block = this.#source.read(offset, BLOCK);
    if (block.length === 0) return undefined;
    if (block.length < BLOCK)
      throw new ParseError("TRUNCATED", "tar", { offset, expected: "whole blocks of 512 bytes" });
    if (isZeroBlock(block)) {
      this.#checkEnd();
      return undefined;
    }
    this.#at += BLOCK;
    return parseTarHeader(block, offset);
  }

  /** Behind the end only zeros may follow, or bytes would be hidden from us and not from others. */
  #checkEnd(): void {
    const { size } = this.#source;
    if (size % BLOCK !== 0)
      throw new ParseError("TRUNCATED", "tar", { offset: size, expected: "whole blocks of 512 bytes" });
    for (; this.#at < size; this.#at += BLOCK)
      if (!isZeroBlock(this.#source.read(this.#at, BLOCK)))
        throw new ParseError("TRAILING", "tar", { offset: this.#at, expected: "zeros behind its end" });
  }

  /** Takes a header that only speaks of the next one; false for any other. */
  #announce(header: TarHeader, announced: Announced, offset: number): boolean {
    switch (header.type) {
      case "x":
        announced.records = once(announced.records, parsePax(this.#special(header), this.#at), offset);
        break;
      case "g":
        checkGlobal(parsePax(this.#special(header), this.#at), offset);
        break;
      case "L":
        announced.name = once(announced.name, longName(this.#special(header), offset), offset);
        break;
      case "K":
        announced.linkname = once(announced.linkname, longName(this.#special(header), offset), offset);
        break;
      default:
        return false;
    }
    this.#skip(header.size, offset);
    return true;
  }

  #special({ size }: TarHeader): Uint8Array {
    if (size > MAX_SPECIAL)
      throw new ParseError("TOO_LARGE", "extended tar header", {
        offset: this.#at,
        expected: `at most ${MAX_SPECIAL} bytes`,
        found: `${size}`,
      });
    const bytes = this.#source.read(this.#at, size);
    if (bytes.length < size) throw new ParseError("TRUNCATED", "extended tar header", { offset: this.#at });
    return bytes;
  }

  #skip(size: number, offset: number): void {
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    if (this.#at + padded > this.#source.size)
      throw new ParseError("TRUNCATED", "tar", {
        offset,
        expected: `${size} bytes of an entry`,
        found: `${this.#source.size - this.#at}`,
      });
    this.#at += padded;
  }

  #entry(header: TarHeader, announced: Announced, offset: number): UntrustedTarEntry {
    const { values } = announced.records ?? NO_RECORDS;
    const type = TYPES[header.type] ?? "unknown";
    const content = this.#content(header, type, announced.records ?? NO_RECORDS, offset);
    const sparseName = content.extents === undefined ? undefined : values.get("GNU.sparse.name");
    return {
      type,
      flag: header.type,
      name: sparseName ?? oneOf(announced.name, values.get("path"), offset) ?? header.name,
      linkname: oneOf(announced.linkname, values.get("linkpath"), offset) ?? header.linkname,
      mode: header.mode,
      uid: decimal(values.get("uid"), "uid", offset) ?? header.uid,
      gid: decimal(values.get("gid"), "gid", offset) ?? header.gid,
      device: { major: header.major, minor: header.minor },
      attributes: [...values.keys()].flatMap((key) => ATTRIBUTE.exec(key)?.[1] ?? []),
      offset,
      ...content,
    };
  }

  #content(
    header: TarHeader,
    type: TarEntryType,
    records: PaxRecords,
    offset: number,
  ): Pick<UntrustedTarEntry, "size" | "position" | "extents"> {
    const stated = decimal(records.values.get("size"), "size", offset) ?? header.size;
    if (type !== "file") return this.#withoutContent(stated, type, offset);
    const read = (position: number, length: number): Uint8Array => this.#source.read(position, length);
    if (header.type === "S") {
      const { map, dataAt } = readGnuSparse(read, offset, stated);
      this.#at = dataAt;
      this.#skip(stated, offset);
      return { ...map, position: dataAt };
    }
    const position = this.#at;
    this.#skip(stated, offset);
    const map = readPaxSparse(read, records, { position, size: stated });
    return map === undefined ? { size: stated, position, extents: undefined } : { ...map, position };
  }

  /** Every reader takes links and directories for headers only, whatever size they state; of others they differ. */
  #withoutContent(
    stated: number,
    type: TarEntryType,
    offset: number,
  ): Pick<UntrustedTarEntry, "size" | "position" | "extents"> {
    if (type === "unknown") this.#skip(stated, offset);
    else if (stated !== 0 && type !== "directory" && type !== "hardlink")
      throw new ParseError("OUT_OF_RANGE", "tar size", {
        offset,
        expected: `0 for a ${type}`,
        found: `${stated}`,
      });
    return { size: 0, position: this.#at, extents: undefined };
  }
}

function once<T>(before: T | undefined, now: T, offset: number): T {
  if (before !== undefined)
    throw new ParseError("DUPLICATE", "extended tar header", {
      offset,
      expected: "one of a kind for an entry",
    });
  return now;
}

/** GNU tar's long name and a pax path: readers differ in which one counts. */
function oneOf(long: ByteText | undefined, path: ByteText | undefined, offset: number): ByteText | undefined {
  if (long !== undefined && path !== undefined)
    throw new ParseError("DUPLICATE", "name of a tar entry", {
      offset,
      found: `${show(long)} and ${show(path)}`,
    });
  // An empty value takes a record back.
  return long ?? (path === "" ? undefined : path);
}

function longName(bytes: Uint8Array, offset: number): ByteText {
  const text = byteText(bytes);
  const end = text.indexOf("\0");
  const name = end < 0 ? text : text.slice(0, end);
  if (name === "") throw new ParseError("MISSING", "long name of a tar entry", { offset });
  return name;
}

function checkGlobal({ values }: PaxRecords, offset: number): void {
  const key = [...values.keys()].find((name) => MEANINGFUL.test(name));
  if (key !== undefined)
    throw new ParseError("UNSUPPORTED", "global tar header", {
      offset,
      expected: "comments only",
      found: show(key),
    });
}

function decimal(text: ByteText | undefined, field: string, offset: number): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value))
    throw new ParseError("OUT_OF_RANGE", `pax ${field}`, {
      offset,
      expected: "a decimal number",
      found: show(text),
    });
  return value;
}
