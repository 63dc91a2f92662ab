/**
 * What an image is packed in: a folder, or a tar whose members are read where they lie. Both give the slice of a file
 * that a name stands for.
 * @module
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { ParseError } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { type ByteText, byteTextOf } from "./byte-text.ts";
import type { FileSlice } from "./image.ts";
import { SliceReader } from "./slice-reader.ts";
import { readTarEntries, type UntrustedTarEntry } from "./tar-entries.ts";
import { partsOf } from "./tree-place.ts";

/** Members of an image's packing by path. */
export interface ImageMembers {
  readonly path: string;
  /** The file of that name, or undefined. */
  find(name: string): FileSlice | undefined;
}

/** An image's archive holds a few members for each layer. */
const MAX_MEMBERS = 100_000;
const MAX_LINKS = 40;

/** Opens a folder or a tar; throws {@link BuildError} BP-IMAGE-001 or 010. */
export function openMembers(path: string): ImageMembers {
  let found;
  try {
    found = statSync(path);
  } catch (cause) {
    throw new BuildError("BP-IMAGE-001", `no image can be read at ${path}`, { file: path, cause });
  }
  if (found.isDirectory()) return new FolderMembers(path);
  if (found.isFile()) return openArchive(path, found.size);
  throw new BuildError("BP-IMAGE-001", `${path} is neither a folder nor an archive`, { file: path });
}

/** A layout that lies in a folder. Links are followed: what they lead to must have the digest that is asked for. */
class FolderMembers implements ImageMembers {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  find(name: string): FileSlice | undefined {
    if (partsOf(name).includes("..") || name.includes("\0")) return undefined;
    const path = join(this.path, name);
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isFile() === true ? { path, offset: 0, size: found.size } : undefined;
  }
}

type Member = { readonly slice: FileSlice } | { readonly link: ByteText };

/** A tar of a layout, or what docker save wrote; identical layers may be links to each other. */
class ArchiveMembers implements ImageMembers {
  readonly path: string;
  readonly #members: ReadonlyMap<ByteText, Member>;

  constructor(path: string, members: ReadonlyMap<ByteText, Member>) {
    this.path = path;
    this.#members = members;
  }

  find(name: string): FileSlice | undefined {
    let key = partsOf(byteTextOf(name)).join("/");
    for (let links = 0; links < MAX_LINKS; links++) {
      const member = this.#members.get(key);
      if (member === undefined) return undefined;
      if ("slice" in member) return member.slice;
      key = member.link;
    }
    return undefined;
  }
}

function openArchive(path: string, size: number): ImageMembers {
  const reader = SliceReader.open({ path, offset: 0, size });
  try {
    return new ArchiveMembers(path, listMembers(reader, path));
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    throw new BuildError("BP-IMAGE-010", `${path} is no tar that can be read: ${cause.message}`, {
      file: path,
      ...(cause.offset === undefined ? {} : { offset: cause.offset }),
      ...(isCompressed(reader) ? { hint: "it is compressed: unpack it first, with gunzip or unzstd" } : {}),
      cause,
    });
  } finally {
    reader.close();
  }
}

function listMembers(reader: SliceReader, path: string): Map<ByteText, Member> {
  const members = new Map<ByteText, Member>();
  let count = 0;
  for (const entry of readTarEntries(reader)) {
    if (++count > MAX_MEMBERS)
      throw new BuildError("BP-IMAGE-014", `${path} has too many members for an image`, {
        file: path,
        expected: `at most ${MAX_MEMBERS}`,
      });
    const name = partsOf(entry.name).join("/");
    const member = memberOf(entry, name, path);
    if (member === undefined) continue;
    if (members.has(name) && !isSame(members.get(name), member))
      throw new ParseError("DUPLICATE", "member of an image archive", { offset: entry.offset, found: name });
    members.set(name, member);
  }
  return members;
}

function memberOf(entry: UntrustedTarEntry, name: ByteText, path: string): Member | undefined {
  if (entry.type === "hardlink") return { link: partsOf(entry.linkname).join("/") };
  if (entry.type === "symlink") return { link: resolve(partsOf(name).slice(0, -1), entry.linkname) };
  if (entry.type !== "file") return undefined;
  if (entry.extents !== undefined)
    throw new ParseError("UNSUPPORTED", "sparse member of an image archive", { offset: entry.offset });
  return { slice: { path, offset: entry.position, size: entry.size } };
}

const isSame = (a: Member | undefined, b: Member): boolean =>
  a !== undefined && "link" in a && "link" in b && a.link === b.link;

/** Where a link leads to by its text; what climbs out of the archive leads to nothing. */
function resolve(folder: readonly ByteText[], target: ByteText): ByteText {
  const parts = target.startsWith("/") ? [] : [...folder];
  for (const part of partsOf(target)) {
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return "..";
  }
  return parts.join("/");
}

function isCompressed(reader: SliceReader): boolean {
  const [first, second] = reader.read(0, 2);
  return (first === 0x1f && second === 0x8b) || (first === 0x28 && second === 0xb5);
}
