/**
 * A file tree as data: what is at each path below the root, with nothing that a build could see differ between two
 * machines (owners, times, modes other than "executable" are not part of it).
 * @module
 */

/** A regular file, named by its content. */
export interface TreeFile {
  readonly type: "file";
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly executable: boolean;
}

/** A symbolic link. */
export interface TreeSymlink {
  readonly type: "symlink";
  readonly target: string;
}

/** A directory; its children are the other paths below it. */
export interface TreeDirectory {
  readonly type: "directory";
}

/** What lies at a path. */
export type TreeEntry = TreeFile | TreeSymlink | TreeDirectory;

/** Entries by path: relative, `/` between names, no `.`, `..` or empty name. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/** The directory above `path`, or undefined at the top. */
export function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? undefined : path.slice(0, slash);
}

/** Orders names as their UTF-8 bytes do (JavaScript's own order differs beyond the basic plane). */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}
