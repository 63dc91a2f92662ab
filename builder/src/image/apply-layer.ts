/**
 * Applies layers to a tree: OCI image-spec 1.1, layer.md, "Applying Changesets" and "Whiteouts". An entry replaces what
 * has its name, except that a directory on a directory gives it new owner and mode and keeps what is in it. Whiteouts
 * take away what lower layers put there and nothing of their own layer, wherever they stand in it. Where the text is
 * silent we do as containerd and umoci do, which test/conformance compares; entry-name.ts and tree-place.ts say more.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { MAX_CPIO_NUMBER } from "@bootproof/boot";
import { BuildError, type BuildErrorCode } from "../build-error.ts";
import { type ByteText, show } from "./byte-text.ts";
import { parseEntryName, parseSymlinkTarget } from "./entry-name.ts";
import { type DirectoryNode, implicitDirectory, type Inode } from "./file-tree.ts";
import type { FindingList } from "./finding-list.ts";
import type { ImageLimits } from "./image.ts";
import type { UntrustedTarEntry } from "./tar-entries.ts";
import { findDirectory, PlaceError } from "./tree-place.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** Bookkeeping of AUFS, which old versions of docker left in layers. */
const AUFS = ".wh..wh.";
/** Bytes of all names and targets together, which are held in memory. */
const MAX_TEXT = 2 ** 28;

/** Counts what all layers of an image put into memory. */
export class TreeBudget {
  readonly #limits: ImageLimits;
  #entries = 0;
  #text = 0;

  constructor(limits: ImageLimits) {
    this.#limits = limits;
  }

  /** Counts an entry of `text` bytes; throws {@link BuildError} BP-IMAGE-014. */
  take(where: string, text: number): void {
    this.#entries++;
    this.#text += text;
    if (this.#entries > this.#limits.entries)
      throw new BuildError("BP-IMAGE-014", `${where}: too many entries`, {
        expected: `at most ${this.#limits.entries}, of all layers`,
      });
    if (this.#text > MAX_TEXT)
      throw new BuildError("BP-IMAGE-014", `${where}: names are too long altogether`, {
        expected: `at most ${MAX_TEXT} bytes, of all layers`,
      });
  }
}

/** What a layer is applied with. */
export interface LayerContext {
  /** Its number, by which files name it. */
  readonly layer: number;
  /** What messages call it. */
  readonly where: string;
  /** False for a folder's tar, in which a name that begins with .wh. is a name like any other. */
  readonly whiteouts: boolean;
  readonly budget: TreeBudget;
  readonly findings: FindingList;
}

/** Applies one layer. */
export class LayerApplier {
  readonly #root: DirectoryNode;
  readonly #context: LayerContext;
  /** Names that this layer has put into directories; whiteouts leave them. */
  readonly #own = new Map<DirectoryNode, Set<ByteText>>();
  /** Directories in which nothing of lower layers is left, so that no whiteout has to look at them again. */
  readonly #cleared = new Set<DirectoryNode>();

  constructor(root: DirectoryNode, context: LayerContext) {
    this.#root = root;
    this.#context = context;
  }

  /** Takes the layer's next entry; throws {@link BuildError} BP-IMAGE-011 to 015. */
  take(entry: UntrustedTarEntry): void {
    this.#context.budget.take(this.#context.where, entry.name.length + entry.linkname.length);
    const parts = this.#named("BP-IMAGE-011", entry, () => parseEntryName(entry.name));
    const name = parts.pop();
    if (name === undefined) this.#takeRoot(entry);
    else if (this.#context.whiteouts && (parts[0] ?? name).startsWith(AUFS) && (parts[0] ?? name) !== OPAQUE)
      this.#context.findings.note("BP-IMAGE-107", show(entry.name));
    else this.#takeNamed(entry, this.#parent(entry, parts), name);
  }

  #takeRoot(entry: UntrustedTarEntry): void {
    if (entry.type !== "directory") throw this.#refuse("BP-IMAGE-011", entry, `the root is a ${entry.type}`);
    this.#describe(this.#root, entry);
  }

  #takeNamed(entry: UntrustedTarEntry, parent: DirectoryNode, name: ByteText): void {
    if (this.#context.whiteouts && name.startsWith(WHITEOUT)) this.#whiteout(entry, parent, name);
    else {
      this.#place(entry, parent, name);
      this.#ownNames(parent).add(name);
    }
  }

  #place(entry: UntrustedTarEntry, parent: DirectoryNode, name: ByteText): void {
    if (entry.type === "directory") {
      const before = parent.children.get(name);
      const directory = before?.type === "directory" ? before : implicitDirectory();
      this.#describe(directory, entry);
      parent.children.set(name, directory);
      return;
    }
    // What was there goes first, a directory with all that is in it: a link to itself links to nothing.
    parent.children.delete(name);
    parent.children.set(name, entry.type === "hardlink" ? this.#linked(entry) : this.#inode(entry));
  }

  /** The files of a directory keep their names; only what describes the directory changes. */
  #describe(directory: DirectoryNode, entry: UntrustedTarEntry): void {
    Object.assign(directory, this.#owned(entry));
  }

  #owned(entry: UntrustedTarEntry): { mode: number; uid: number; gid: number } {
    const { mode, uid, gid, attributes } = entry;
    if (uid > MAX_CPIO_NUMBER || gid > MAX_CPIO_NUMBER)
      throw this.#refuse("BP-IMAGE-015", entry, "its owner does not fit in 32 bits");
    for (const name of attributes)
      this.#context.findings.note(
        name === "security.capability" ? "BP-IMAGE-101" : "BP-IMAGE-102",
        show(entry.name),
      );
    return { mode, uid, gid };
  }

  #inode(entry: UntrustedTarEntry): Inode {
    const owned = this.#owned(entry);
    switch (entry.type) {
      case "file":
        return this.#file(entry, owned);
      case "symlink":
        return {
          ...owned,
          type: "symlink",
          target: this.#named("BP-IMAGE-011", entry, () => parseSymlinkTarget(entry.linkname)),
        };
      case "character-device":
      case "block-device":
        this.#context.findings.note("BP-IMAGE-105", show(entry.name));
        if (entry.device.major > MAX_CPIO_NUMBER || entry.device.minor > MAX_CPIO_NUMBER)
          throw this.#refuse("BP-IMAGE-015", entry, "its device number does not fit in 32 bits");
        return { ...owned, type: entry.type, device: entry.device };
      case "fifo":
        return { ...owned, type: "fifo" };
      case "directory":
      case "hardlink":
      case "unknown":
        throw this.#refuse("BP-IMAGE-013", entry, `an entry of type ${show(entry.flag)}`);
    }
  }

  #file(entry: UntrustedTarEntry, owned: { mode: number; uid: number; gid: number }): Inode {
    if (entry.size > MAX_CPIO_NUMBER)
      throw this.#refuse("BP-IMAGE-015", entry, "a file of 4 GiB or more", {
        expected: `at most ${MAX_CPIO_NUMBER} bytes`,
        found: `${entry.size}`,
      });
    const { position, extents } = entry;
    const content = { from: "layer", layer: this.#context.layer, position, extents } as const;
    return { ...owned, type: "file", size: entry.size, content };
  }

  /** The file that a hard link shares, whose owner and mode it keeps. Only its folders' links are followed. */
  #linked(entry: UntrustedTarEntry): Inode {
    const parts = this.#named("BP-IMAGE-012", entry, () =>
      parseEntryName(entry.linkname, "hard link target"),
    );
    const name = parts.pop();
    const parent = this.#named("BP-IMAGE-012", entry, () => findDirectory(this.#root, parts));
    const node = name === undefined ? this.#root : parent?.children.get(name);
    if (node === undefined)
      throw this.#refuse("BP-IMAGE-012", entry, `nothing is at ${show(entry.linkname)}, which it links to`);
    if (node.type === "directory")
      throw this.#refuse("BP-IMAGE-012", entry, `${show(entry.linkname)}, which it links to, is a directory`);
    return node;
  }

  #parent(entry: UntrustedTarEntry, parts: readonly ByteText[]): DirectoryNode {
    return this.#named("BP-IMAGE-011", entry, () =>
      findDirectory(this.#root, parts, (parent, name) => {
        this.#context.budget.take(this.#context.where, name.length);
        this.#ownNames(parent).add(name);
      }),
    );
  }

  #whiteout(entry: UntrustedTarEntry, parent: DirectoryNode, name: ByteText): void {
    if (name === OPAQUE) {
      this.#clear(parent);
      return;
    }
    const target = name.slice(WHITEOUT.length);
    if (target === "" || target === "." || target === "..")
      throw this.#refuse("BP-IMAGE-011", entry, "a whiteout of no name");
    this.#removeLower(parent, target);
  }

  /** Removes what lower layers have put at a name; a directory stays for what this layer has put in it. */
  #removeLower(parent: DirectoryNode, name: ByteText): void {
    const node = parent.children.get(name);
    if (node === undefined) return;
    const own = this.#own.get(parent)?.has(name) === true;
    if (node.type !== "directory") {
      if (!own) parent.children.delete(name);
      return;
    }
    this.#clear(node);
    if (own) return;
    if (node.children.size === 0) parent.children.delete(name);
    else Object.assign(node, { mode: 0o755, uid: 0, gid: 0 });
  }

  #clear(directory: DirectoryNode): void {
    if (this.#cleared.has(directory)) return;
    this.#cleared.add(directory);
    for (const name of [...directory.children.keys()]) this.#removeLower(directory, name);
  }

  #ownNames(directory: DirectoryNode): Set<ByteText> {
    const names = this.#own.get(directory) ?? new Set();
    this.#own.set(directory, names);
    return names;
  }

  #named<T>(code: BuildErrorCode, entry: UntrustedTarEntry, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof PlaceError) throw this.#refuse(code, entry, cause.message);
      if (!(cause instanceof ParseError)) throw cause;
      const { expected, found } = cause;
      throw this.#refuse(code, entry, cause.at, {
        ...(expected === undefined ? {} : { expected }),
        ...(found === undefined ? {} : { found }),
      });
    }
  }

  #refuse(
    code: BuildErrorCode,
    { name, offset }: UntrustedTarEntry,
    why: string,
    detail: { readonly expected?: string; readonly found?: string } = {},
  ): BuildError {
    return new BuildError(code, `${this.#context.where}: cannot take ${show(name)}: ${why}`, {
      offset,
      ...detail,
    });
  }
}
