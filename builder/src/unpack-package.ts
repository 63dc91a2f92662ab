/**
 * Unpacks one Debian binary package (deb(5) format 2.0) into a directory that other packages are unpacked into at the
 * same time. Only directories and regular files are made here; links are reported and made later, when every path of
 * every package is known, so that nothing here can ever follow one.
 * @module
 */
import {
  closeSync,
  createReadStream,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { formatHex, ParseError, parseUtf8, quote, startHash } from "@bootproof/bytes";
import { readArMembers, type ArMember, type RandomAccess } from "./ar.ts";
import { MERGED_USR, parseArchivePath, parseLinkTarget } from "./archive-path.ts";
import { decompress, readTar, type Compression, type UntrustedTarEntry } from "./archive.ts";
import { parentOf, type TreeEntry } from "./tree.ts";

/** Limits on what one package may hold; the largest in Debian stay well below. */
export interface UnpackLimits {
  readonly fileSize: number;
  readonly totalSize: number;
  readonly entries: number;
}

/** 2 GiB a file, 8 GiB a package, 250,000 entries: ten times the largest packages of a toolchain. */
export const UNPACK_LIMITS: UnpackLimits = { fileSize: 2 ** 31, totalSize: 2 ** 33, entries: 250_000 };

/** The one modification time of everything in an input root (1980, the first year that every format can hold). */
export const ROOT_TIME = 315_532_800;

/** What a package puts at a path; a hard link names the path whose file it shares. */
export type PackageEntry = TreeEntry | { readonly type: "hardlink"; readonly target: string };

/** What was unpacked. */
export interface UnpackedPackage {
  /** In the archive's order; a path may be a directory several times, anything else once. */
  readonly entries: readonly (readonly [path: string, entry: PackageEntry])[];
}

const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  "": "none",
  ".gz": "gzip",
  ".xz": "xz",
  ".zst": "zstd",
};

/**
 * Unpacks the package file at `path` below `directory`. A regular file that another package has made already is
 * hashed and reported, not written. Throws {@link ParseError} for a package that is malformed or over the limits.
 */
export async function unpackPackage(
  path: string,
  directory: string,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<UnpackedPackage> {
  const payload = await findPayload(path);
  const source = createReadStream(path, {
    start: payload.member.offset,
    end: payload.member.offset + payload.member.size - 1,
    highWaterMark: 256 * 1024,
  });
  const unpacker = new Unpacker(directory, limits);
  await readTar(decompress(source, payload.compression, limits.totalSize), (entry, content) =>
    unpacker.take(entry, content),
  );
  return { entries: unpacker.entries };
}

/** Where the package's files are: deb(5) demands debian-binary, then the control part, then the data part. */
async function findPayload(path: string): Promise<{ member: ArMember; compression: Compression }> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const archive: RandomAccess = {
      size,
      read: async (position, length) =>
        (await handle.read({ buffer: new Uint8Array(length), position, length })).buffer,
    };
    const [format, control, data, ...rest] = await readArMembers(archive);
    if (format?.name !== "debian-binary")
      throw new ParseError("MISSING", "debian-binary member", { found: quote(format?.name ?? "nothing") });
    if (format.size > 16)
      throw new ParseError("TOO_LARGE", "debian-binary member", { offset: format.offset });
    const version = parseUtf8(await archive.read(format.offset, format.size), "debian-binary");
    if (version !== "2.0\n")
      throw new ParseError("UNSUPPORTED", "package format", {
        offset: format.offset,
        expected: quote("2.0\n"),
        found: quote(version),
      });
    compressionOf(control, "control.tar");
    const compression = compressionOf(data, "data.tar");
    if (data === undefined || rest.length > 0)
      throw new ParseError("TRAILING", "package members", { found: rest.map(({ name }) => name).join(", ") });
    if (data.size === 0) throw new ParseError("TRUNCATED", "data.tar member", { offset: data.offset });
    return { member: data, compression };
  } finally {
    await handle.close();
  }
}

function compressionOf(member: ArMember | undefined, stem: string): Compression {
  const name = member?.name ?? "";
  const compression = name.startsWith(stem) ? COMPRESSIONS[name.slice(stem.length)] : undefined;
  if (compression === undefined)
    throw new ParseError(name.startsWith(stem) ? "UNSUPPORTED" : "MISSING", `${stem} member`, {
      expected: `${stem} or ${stem} with .gz, .xz or .zst`,
      found: quote(name),
    });
  return compression;
}

class Unpacker {
  readonly entries: [string, PackageEntry][] = [];
  readonly #directory: string;
  readonly #limits: UnpackLimits;
  readonly #made = new Set<string>();
  readonly #files = new Set<string>();

  constructor(directory: string, limits: UnpackLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  async take(entry: UntrustedTarEntry, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.entries.length >= this.#limits.entries)
      throw new ParseError("TOO_LARGE", "package entries", { expected: `at most ${this.#limits.entries}` });
    const path = parseArchivePath(entry.name);
    if (path === "") {
      if (entry.type === "directory") return;
      throw new ParseError("UNSUPPORTED", "root of the package", {
        expected: "a directory",
        found: entry.type,
      });
    }
    if (entry.type === "directory") this.#takeDirectory(path);
    else if (isMergedUsr(path)) this.#checkMergedUsr(path, entry);
    else this.entries.push([path, await this.#takeOther(path, entry, content)]);
  }

  #takeDirectory(path: string): void {
    this.#makeDirectory(path);
    this.entries.push([path, { type: "directory" }]);
  }

  /** The link usr-merge itself: what base-files ships for bin is what every root has, and nothing else may be there. */
  #checkMergedUsr(path: string, entry: UntrustedTarEntry): void {
    if (entry.type === "symlink" && entry.linkname.replace(/^\/|\/$/g, "") === path) return;
    throw new ParseError("OUT_OF_RANGE", "merged-/usr path", {
      expected: `a directory, or a link to ${path}`,
      found: `${entry.type} ${quote(entry.linkname)}`,
    });
  }

  async #takeOther(
    path: string,
    entry: UntrustedTarEntry,
    content: AsyncIterable<Uint8Array>,
  ): Promise<PackageEntry> {
    if (this.#files.has(path)) throw new ParseError("DUPLICATE", "path", { found: quote(path) });
    const found = await this.#read(path, entry, content);
    this.#files.add(path);
    return found;
  }

  #read(
    path: string,
    entry: UntrustedTarEntry,
    content: AsyncIterable<Uint8Array>,
  ): PackageEntry | Promise<PackageEntry> {
    switch (entry.type) {
      case "file":
      case "contiguous-file":
        return this.#takeFile(path, entry, content);
      case "symlink":
        return { type: "symlink", target: parseLinkTarget(path, entry.linkname) };
      case "link":
        return { type: "hardlink", target: this.#earlierFile(entry.linkname) };
      default:
        throw new ParseError("UNSUPPORTED", "type of entry", {
          expected: "a file, directory or link",
          found: `${entry.type} ${quote(path)}`,
        });
    }
  }

  #earlierFile(name: string): string {
    const target = parseArchivePath(name, "hard link target");
    if (!this.#files.has(target))
      throw new ParseError("MISSING", "hard link target", { found: quote(target) });
    return target;
  }

  async #takeFile(
    path: string,
    entry: UntrustedTarEntry,
    content: AsyncIterable<Uint8Array>,
  ): Promise<PackageEntry> {
    if (entry.size > this.#limits.fileSize)
      throw new ParseError("TOO_LARGE", "file in a package", {
        expected: `at most ${this.#limits.fileSize} bytes`,
        found: `${entry.size} (${quote(path)})`,
      });
    const parent = parentOf(path);
    if (parent !== undefined) this.#makeDirectory(parent);
    const executable = (entry.mode & 0o111) !== 0;
    const { size, sha256 } = await writeFile(join(this.#directory, path), executable, content);
    if (size !== entry.size)
      throw new ParseError("TRUNCATED", "file in a package", {
        expected: `${entry.size} bytes`,
        found: `${size} (${quote(path)})`,
      });
    return { type: "file", size, sha256, executable };
  }

  #makeDirectory(path: string): void {
    if (this.#made.has(path)) return;
    try {
      mkdirSync(join(this.#directory, path), { recursive: true, mode: 0o755 });
    } catch (cause) {
      throw asConflict(path, cause);
    }
    this.#made.add(path);
  }
}

const isMergedUsr = (path: string): boolean =>
  path.startsWith("usr/") && MERGED_USR.includes(path.slice("usr/".length));

/** Writes and hashes; when the path is taken, by another package as the caller has no duplicates, only hashes. */
async function writeFile(
  path: string,
  executable: boolean,
  content: AsyncIterable<Uint8Array>,
): Promise<{ size: number; sha256: string }> {
  const file = openNew(path);
  const hash = startHash("sha256");
  let size = 0;
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      size += chunk.length;
      if (file !== undefined) writeAllSync(file, chunk);
    }
    if (file !== undefined) {
      fchmodSync(file, executable ? 0o755 : 0o644); // setuid, setgid and sticky bits go: nobody to become in a build
      futimesSync(file, ROOT_TIME, ROOT_TIME);
    }
  } catch (cause) {
    if (file !== undefined) unlinkSync(path);
    throw cause;
  } finally {
    if (file !== undefined) closeSync(file);
  }
  return { size, sha256: formatHex(hash.digest()) };
}

function openNew(path: string): number | undefined {
  try {
    return openSync(path, "wx", 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw asConflict(path, cause);
  }
}

function writeAllSync(file: number, chunk: Uint8Array): void {
  for (let offset = 0; offset < chunk.length;) offset += writeSync(file, chunk, offset);
}

/** A file where a directory is wanted means that two entries disagree; everything else is the system's own error. */
function asConflict(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== "EEXIST" && code !== "ENOTDIR" && code !== "EISDIR") return cause;
  return new ParseError("DUPLICATE", "path", { expected: "a directory", found: `a file at ${quote(path)}` });
}
