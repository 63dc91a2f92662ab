/**
 * A file tree on disk: gives every entry its one mode and time, and reads a tree back to see whether it is still what
 * it was.
 * @module
 */
import {
  chmodSync,
  closeSync,
  lstatSync,
  lutimesSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { formatHex, startHash } from "@bootproof/bytes";
import type { Tree, TreeEntry } from "./tree.ts";
import { ROOT_TIME } from "./unpack-package.ts";

const CHUNK = 1024 * 1024;

/** Sets modes and times of links and directories (files have theirs since they were written), deepest first. */
export function settleTree(directory: string, tree: Tree): void {
  for (const path of [...tree.keys()].sort().reverse()) {
    const place = join(directory, path);
    const entry = tree.get(path);
    if (entry?.type === "symlink") lutimesSync(place, ROOT_TIME, ROOT_TIME);
    if (entry?.type !== "directory") continue;
    chmodSync(place, 0o755);
    utimesSync(place, ROOT_TIME, ROOT_TIME);
  }
  chmodSync(directory, 0o755);
  utimesSync(directory, ROOT_TIME, ROOT_TIME);
}

/**
 * Reads the tree below `directory`, hashing every file. Anything but files, links and directories is an error.
 * Gives way to other work after each directory, because a toolchain takes a second or two.
 */
export async function readTree(directory: string, signal?: AbortSignal): Promise<Tree> {
  const tree = new Map<string, TreeEntry>();
  const pending = [""];
  for (let above = pending.pop(); above !== undefined; above = pending.pop()) {
    signal?.throwIfAborted();
    for (const name of readdirSync(join(directory, above))) {
      const path = above === "" ? name : `${above}/${name}`;
      const entry = readEntry(join(directory, path));
      tree.set(path, entry);
      if (entry.type === "directory") pending.push(path);
    }
    await nextTurn();
  }
  return tree;
}

function readEntry(place: string): TreeEntry {
  const found = lstatSync(place);
  if (found.isDirectory()) return { type: "directory" };
  if (found.isSymbolicLink()) return { type: "symlink", target: readlinkSync(place) };
  if (!found.isFile()) throw new Error(`${place} is neither a file, a link nor a directory`);
  return {
    type: "file",
    size: found.size,
    sha256: hashFile(place),
    executable: (found.mode & 0o111) !== 0,
  };
}

const buffer = new Uint8Array(CHUNK);

/** The SHA-256 of a file, in hex. It does not wait in between, so that the one buffer can serve every file. */
export function hashFile(place: string): string {
  const hash = startHash("sha256");
  const file = openSync(place, "r");
  try {
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer))
      hash.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return formatHex(hash.digest());
}

/** The first path, in order, at which two trees differ, or undefined. */
export function firstTreeDifference(a: Tree, b: Tree): string | undefined {
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort();
  return paths.find((path) => JSON.stringify(keyOf(a.get(path))) !== JSON.stringify(keyOf(b.get(path))));
}

function keyOf(entry: TreeEntry | undefined): unknown[] {
  switch (entry?.type) {
    case undefined:
      return [];
    case "directory":
      return ["directory"];
    case "symlink":
      return ["symlink", entry.target];
    case "file":
      return ["file", entry.sha256, entry.size, entry.executable];
  }
}
