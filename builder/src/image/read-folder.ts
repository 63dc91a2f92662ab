/**
 * Lists a folder as a tree: everything is root's, modes and hard links are kept, symbolic links are never followed.
 * @module
 */
import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MAX_CPIO_NUMBER } from "@bootproof/boot";
import { BuildError } from "../build-error.ts";
import type { TreeBudget } from "./apply-layer.ts";
import { byteText, show } from "./byte-text.ts";
import { type DirectoryNode, implicitDirectory, type Inode } from "./file-tree.ts";
import type { FindingList } from "./finding-list.ts";

/** What a folder is listed with. */
export interface FolderContext {
  readonly budget: TreeBudget;
  readonly findings: FindingList;
  readonly signal?: AbortSignal;
}

/** Lists `path`; throws {@link BuildError} BP-IMAGE-013 to 015 or 019. */
export async function readFolder(path: string, context: FolderContext): Promise<DirectoryNode> {
  return new FolderReader(path, context).read();
}

class FolderReader {
  readonly #path: string;
  readonly #context: FolderContext;
  /** Files with several names, by device and number. */
  readonly #shared = new Map<string, Inode>();

  constructor(path: string, context: FolderContext) {
    this.#path = path;
    this.#context = context;
  }

  async read(): Promise<DirectoryNode> {
    const root = implicitDirectory();
    root.mode = Number(lstatSync(this.#path, { bigint: true }).mode) & 0o7777;
    const pending: [Buffer, DirectoryNode][] = [[Buffer.from(this.#path), root]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      this.#context.signal?.throwIfAborted();
      const [folder, directory] = next;
      for (const name of readdirSync(folder, { encoding: "buffer" })) {
        const path = Buffer.concat([folder, Buffer.from("/"), name]);
        const node = this.#node(path);
        directory.children.set(byteText(name), node);
        if (node.type === "directory") pending.push([path, node]);
      }
      await nextTurn();
    }
    return root;
  }

  #node(path: Buffer): DirectoryNode | Inode {
    this.#context.budget.take(this.#path, path.length);
    const found = lstatSync(path, { bigint: true });
    const mode = Number(found.mode) & 0o7777;
    if (found.isDirectory()) return { ...implicitDirectory(), mode };
    const key = `${found.dev} ${found.ino}`;
    const node = this.#shared.get(key) ?? this.#inode(path, found, mode);
    if (found.nlink > 1n) this.#shared.set(key, node);
    return node;
  }

  #inode(path: Buffer, found: BigIntStats, mode: number): Inode {
    const owned = { mode, uid: 0, gid: 0 };
    const name = show(byteText(path));
    if (found.isSymbolicLink())
      return { ...owned, type: "symlink", target: byteText(readlinkSync(path, { encoding: "buffer" })) };
    if (found.isFIFO()) return { ...owned, type: "fifo" };
    if (found.isCharacterDevice() || found.isBlockDevice()) {
      this.#context.findings.note("BP-IMAGE-105", name);
      const type = found.isBlockDevice() ? "block-device" : "character-device";
      return { ...owned, type, device: deviceOf(found.rdev) };
    }
    if (!found.isFile())
      throw new BuildError("BP-IMAGE-013", `${name} is a socket`, { file: path.toString("utf8") });
    if (found.size > MAX_CPIO_NUMBER)
      throw new BuildError("BP-IMAGE-015", `${name} has 4 GiB or more`, {
        file: path.toString("utf8"),
        expected: `at most ${MAX_CPIO_NUMBER} bytes`,
        found: `${found.size}`,
      });
    const content = { from: "path", path, state: fileState(found) } as const;
    return { ...owned, type: "file", size: Number(found.size), content };
  }
}

/** What tells that a file is still the one that was listed. */
export const fileState = ({ dev, ino, size, mtimeNs }: BigIntStats): string =>
  `${dev} ${ino} ${size} ${mtimeNs}`;

/** Linux's device numbers as user space has them: glibc's gnu_dev_major and gnu_dev_minor. */
const deviceOf = (rdev: bigint): { major: number; minor: number } => ({
  major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
  minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
});
