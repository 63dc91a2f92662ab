/**
 * The ar archive, as far as Debian packages use it (ar(5) common format, deb(5)): an 8-byte magic, then members with
 * a 60-byte header each, padded to even offsets. No long-name tables, no symbol table.
 * @module
 */
import { ParseError, quote } from "@bootproof/bytes";

const MAGIC = "!<arch>\n";
const HEADER_LENGTH = 60;
/** deb(5) packages have three members; tools have added one or two. */
const MAX_MEMBERS = 16;

/** A member's name and where its bytes lie in the archive. */
export interface ArMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** Bytes that are read by place, such as an open file. */
export interface RandomAccess {
  readonly size: number;
  /** Exactly `length` bytes at `offset`, which lie within `size`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Lists the members of an archive in order; throws {@link ParseError} unless every byte is accounted for. */
export async function readArMembers(archive: RandomAccess): Promise<ArMember[]> {
  const magic = await readAt(archive, 0, MAGIC.length, "ar magic");
  if (parseLatin1(magic) !== MAGIC)
    throw new ParseError("BAD_MAGIC", "ar magic", {
      offset: 0,
      expected: quote(MAGIC),
      found: quote(parseLatin1(magic)),
    });
  const members: ArMember[] = [];
  let offset = MAGIC.length;
  while (offset < archive.size) {
    if (members.length === MAX_MEMBERS)
      throw new ParseError("TOO_LARGE", "ar members", { offset, expected: `at most ${MAX_MEMBERS}` });
    const header = await readAt(archive, offset, HEADER_LENGTH, "ar header");
    const member = parseArHeader(header, offset);
    if (members.some(({ name }) => name === member.name))
      throw new ParseError("DUPLICATE", "ar member name", { offset, found: quote(member.name) });
    const end = member.offset + member.size;
    if (end > archive.size)
      throw new ParseError("TRUNCATED", `ar member ${member.name}`, {
        offset: member.offset,
        expected: `${member.size} bytes`,
        found: `${archive.size - member.offset}`,
      });
    members.push(member);
    offset = end % 2 === 0 ? end : await skipPadding(archive, end);
  }
  return members;
}

/** Reads one 60-byte header that lies at `offset`; throws {@link ParseError}. */
export function parseArHeader(header: Uint8Array, offset: number): ArMember {
  const field = (start: number, length: number): string =>
    parseLatin1(header.subarray(start, start + length));
  if (field(58, 2) !== "`\n")
    throw new ParseError("BAD_MAGIC", "ar header end", {
      offset: offset + 58,
      expected: quote("`\n"),
      found: quote(field(58, 2)),
    });
  const name = /^([A-Za-z0-9._+-]{1,16})\/? *$/.exec(field(0, 16))?.[1]; // ar_name
  if (name === undefined)
    throw new ParseError("OUT_OF_RANGE", "ar member name", {
      offset,
      expected: "letters, digits and . _ + -",
      found: quote(field(0, 16)),
    });
  const size = /^(0|[1-9][0-9]*) *$/.exec(field(48, 10))?.[1]; // ar_size
  if (size === undefined)
    throw new ParseError("NOT_CANONICAL", "ar member size", {
      offset: offset + 48,
      expected: "a decimal number, then spaces",
      found: quote(field(48, 10)),
    });
  return { name, offset: offset + HEADER_LENGTH, size: Number(size) };
}

async function skipPadding(archive: RandomAccess, offset: number): Promise<number> {
  const padding = await readAt(archive, offset, 1, "ar padding");
  if (padding[0] !== 0x0a)
    throw new ParseError("OUT_OF_RANGE", "ar padding", { offset, expected: "a newline" });
  return offset + 1;
}

async function readAt(
  archive: RandomAccess,
  offset: number,
  length: number,
  field: string,
): Promise<Uint8Array> {
  if (offset + length > archive.size)
    throw new ParseError("TRUNCATED", field, {
      offset,
      expected: `${length} bytes`,
      found: `${Math.max(0, archive.size - offset)}`,
    });
  return archive.read(offset, length);
}

const parseLatin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
