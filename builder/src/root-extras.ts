/**
 * What maintainer scripts would have done and builds rely on, done explicitly: a few links of the alternatives system,
 * the accounts, and the places that the sandbox mounts on.
 * @module
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { MERGED_USR } from "./archive-path.ts";
import { parentOf, type Tree, type TreeEntry } from "./tree.ts";
import { ROOT_TIME } from "./unpack-package.ts";

/** Links made when nothing has that name: the first target that exists is taken. */
const LINKS: readonly (readonly [path: string, ...targets: string[]])[] = [
  ["usr/bin/sh", "dash", "bash"],
  ["usr/bin/awk", "gawk", "mawk"],
  ["usr/bin/nawk", "gawk", "mawk"],
  ["usr/bin/cc", "gcc"],
  ["usr/bin/c++", "g++"],
  ["usr/bin/yacc", "bison.yacc", "byacc"],
  ["usr/bin/which", "which.debianutils"],
  ["usr/bin/lex", "flex"],
];

/** Files that every root has with this content, whatever a package brings. */
const FILES: readonly (readonly [path: string, text: string])[] = [
  ["etc/passwd", "root:x:0:0:root:/nonexistent:/bin/sh\nbuild:x:1000:1000:build:/nonexistent:/bin/sh\n"],
  ["etc/group", "root:x:0:\nbuild:x:1000:\n"],
  ["etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"],
  ["etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"],
];

const DIRECTORIES: readonly string[] = ["build", "dev", "etc", "proc", "source", "tmp", "usr", "usr/bin"];

/** Adds the extras to `tree` and to its files below `directory`. */
export function addRootExtras(tree: Map<string, TreeEntry>, directory: string): void {
  for (const path of [...DIRECTORIES, ...MERGED_USR.map((name) => `usr/${name}`)])
    if (tree.get(path)?.type !== "directory") addDirectory(tree, directory, path);
  for (const name of MERGED_USR) addLink(tree, directory, name, `usr/${name}`);
  for (const [path, ...targets] of LINKS) {
    const target = targets.find((name) => tree.has(`${parentOf(path) ?? ""}/${name}`));
    if (!tree.has(path) && target !== undefined) addLink(tree, directory, path, target);
  }
  for (const [path, text] of FILES) addFile(tree, directory, path, text);
}

function addDirectory(tree: Map<string, TreeEntry>, directory: string, path: string): void {
  rmSync(join(directory, path), { force: true }); // a link in its place, made by a package
  mkdirSync(join(directory, path), { recursive: true });
  tree.set(path, { type: "directory" });
}

function addLink(tree: Map<string, TreeEntry>, directory: string, path: string, target: string): void {
  symlinkSync(target, join(directory, path));
  tree.set(path, { type: "symlink", target });
}

function addFile(tree: Map<string, TreeEntry>, directory: string, path: string, text: string): void {
  // A new file, not new content: the old one may be a hard link that others share.
  rmSync(join(directory, path), { force: true });
  writeFileSync(join(directory, path), text, { flag: "wx" });
  chmodSync(join(directory, path), 0o644);
  utimesSync(join(directory, path), ROOT_TIME, ROOT_TIME);
  const bytes = utf8(text);
  tree.set(path, { type: "file", size: bytes.length, sha256: formatHex(sha256(bytes)), executable: false });
}

/** The library that fixes the clock, as a path in the root, or undefined when the toolchain lacks it. */
export function findFakeTime(tree: Tree): string | undefined {
  return [...tree.keys()].sort().find((path) => /^usr\/lib\/[^/]+\/faketime\/libfaketime\.so\.1$/.test(path));
}
