/**
 * The Merkle tree of a file tree, as the Remote Execution API defines it: a Directory message for each directory,
 * named by its SHA-256; the root's digest names the whole tree.
 * @module
 */
import {
  encodeDirectory,
  remoteDigestOf,
  type DirectoryNodes,
  type RemoteDigest,
} from "./remote-execution.ts";
import { parentOf, type Tree } from "./tree.ts";

/** A tree's root and every Directory message of it by its hash, for putting into a remote store. */
export interface MerkleTree {
  readonly root: RemoteDigest;
  readonly messages: ReadonlyMap<string, Uint8Array>;
}

interface Growing {
  files: DirectoryNodes["files"][number][];
  directories: DirectoryNodes["directories"][number][];
  symlinks: DirectoryNodes["symlinks"][number][];
}

/** Builds the Merkle tree of `tree`; throws RangeError when a path lies below something that is no directory. */
export function buildMerkleTree(tree: Tree): MerkleTree {
  const growing = new Map<string, Growing>([["", { files: [], directories: [], symlinks: [] }]]);
  for (const [path, entry] of tree)
    if (entry.type === "directory") growing.set(path, { files: [], directories: [], symlinks: [] });
  for (const [path, entry] of tree) {
    const siblings = growing.get(parentOf(path) ?? "");
    if (siblings === undefined) throw new RangeError(`${path} lies in no directory of the tree`);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (entry.type === "file")
      siblings.files.push({
        name,
        digest: { hash: entry.sha256, size: entry.size },
        executable: entry.executable,
      });
    else if (entry.type === "symlink") siblings.symlinks.push({ name, target: entry.target });
  }
  return closeDirectories(growing);
}

/** Encodes from the deepest directory up, because a Directory names its children's digests. */
function closeDirectories(growing: ReadonlyMap<string, Growing>): MerkleTree {
  const messages = new Map<string, Uint8Array>();
  let root: RemoteDigest | undefined;
  const depth = (path: string): number => (path === "" ? 0 : path.split("/").length);
  for (const path of [...growing.keys()].sort((a, b) => depth(b) - depth(a))) {
    const nodes = growing.get(path);
    if (nodes === undefined) continue;
    const message = encodeDirectory(nodes);
    root = remoteDigestOf(message);
    messages.set(root.hash, message);
    if (path !== "")
      growing
        .get(parentOf(path) ?? "")
        ?.directories.push({ name: path.slice(path.lastIndexOf("/") + 1), digest: root });
  }
  if (root === undefined) throw new RangeError("a tree has a root");
  return { root, messages };
}
