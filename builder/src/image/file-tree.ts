/**
 * The files of an image as a tree in memory: names, owners, modes, and where each file's bytes lie. Nothing is
 * unpacked, so no privilege is needed and no link can lead out of it.
 * @module
 */
import type { ByteText } from "./byte-text.ts";
import type { Extent } from "./tar-sparse.ts";

/** Where the bytes of a file are. */
export type FileContent =
  | { readonly from: "bytes"; readonly bytes: Uint8Array }
  /** In a layer, by its number, at a place of its uncompressed tar. */
  | {
      readonly from: "layer";
      readonly layer: number;
      readonly position: number;
      readonly extents: readonly Extent[] | undefined;
    }
  /** A file of a folder, which must still be the one that was listed. */
  | { readonly from: "path"; readonly path: Buffer; readonly state: string };

interface Owned {
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a name stands for; hard links are one object under several names. */
export type Inode = Owned &
  (
    | { readonly type: "file"; readonly size: number; readonly content: FileContent }
    | { readonly type: "symlink"; readonly target: ByteText }
    | {
        readonly type: "character-device" | "block-device";
        readonly device: { readonly major: number; readonly minor: number };
      }
    | { readonly type: "fifo" }
  );

/** A directory. */
export interface DirectoryNode extends Owned {
  readonly type: "directory";
  mode: number;
  uid: number;
  gid: number;
  readonly children: Map<ByteText, TreeNode>;
}

/** A directory, or what else has a name. */
export type TreeNode = DirectoryNode | Inode;

/** A directory that nobody described: root's, 0755. */
export const implicitDirectory = (): DirectoryNode => ({
  type: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  children: new Map(),
});

/** A path and what is there. */
export interface TreeItem {
  readonly path: ByteText;
  readonly node: TreeNode;
}

/** Everything below `root`, in the byte order of paths (in which a directory comes before what is in it). */
export function* walkTree(root: DirectoryNode, prefix: ByteText = ""): Generator<TreeItem> {
  const stack = [listOf(root, prefix)];
  for (let list = stack.at(-1); list !== undefined; list = stack.at(-1)) {
    const next = list.pop();
    if (next === undefined) stack.pop();
    else if (next.below) stack.push(listOf(next.node as DirectoryNode, `${next.path}/`));
    else yield next;
  }
}

interface ListedItem extends TreeItem {
  /** Whether this stands for what is in the directory, not for the directory itself. */
  readonly below: boolean;
}

/** A directory's own place is its name, what is in it comes at name and slash: `a-b` stands between `a` and `a/b`. */
function listOf({ children }: DirectoryNode, prefix: ByteText): ListedItem[] {
  const list: { readonly key: ByteText; readonly item: ListedItem }[] = [];
  for (const [name, node] of children) {
    const path = prefix + name;
    list.push({ key: name, item: { path, node, below: false } });
    if (node.type === "directory") list.push({ key: `${name}/`, item: { path, node, below: true } });
  }
  // Last first, as they are taken from the end.
  return list.sort((a, b) => (a.key < b.key ? 1 : -1)).map(({ item }) => item);
}
