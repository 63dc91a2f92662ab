/**
 * Finds places in a tree as Linux would inside the image as its root: symbolic links among the folders of a path are
 * followed, absolute ones from the image's root, and `..` stops at it. containerd (fs.RootPath) and umoci
 * (filepath-securejoin) do the same; nothing here can name a file of this machine.
 * @module
 */
import { type DirectoryNode, implicitDirectory, type TreeNode } from "./file-tree.ts";
import { type ByteText, show } from "./byte-text.ts";

/** As many links as filepath-securejoin follows; Linux stops at 40. */
const MAX_LINKS = 255;
/** Longer paths cannot be written: PATH_MAX with a character and a slash each. */
const MAX_DEPTH = 2048;

/** Why a path leads nowhere. */
export class PlaceError extends Error {
  override readonly name = "PlaceError";
}

/** Called for each directory that had to be made. */
export type OnMade = (parent: DirectoryNode, name: ByteText) => void;

/** Parts of a path: empty ones and `.` are dropped, `..` is kept. */
export const partsOf = (path: ByteText): ByteText[] =>
  path.split("/").filter((part) => part !== "" && part !== ".");

/** The directory that `parts` lead to; directories that are missing are made when `onMade` is given. Throws {@link PlaceError}. */
export function findDirectory(root: DirectoryNode, parts: readonly ByteText[]): DirectoryNode | undefined;
export function findDirectory(root: DirectoryNode, parts: readonly ByteText[], onMade: OnMade): DirectoryNode;
export function findDirectory(
  root: DirectoryNode,
  parts: readonly ByteText[],
  onMade?: OnMade,
): DirectoryNode | undefined {
  const above = [root];
  const queue = [...parts].reverse();
  let links = 0;
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const here = above.at(-1) ?? root;
    if (name === "..") {
      if (above.length > 1) above.pop();
      continue;
    }
    let node = here.children.get(name);
    if (node === undefined) {
      if (onMade === undefined) return undefined;
      node = implicitDirectory();
      here.children.set(name, node);
      onMade(here, name);
    }
    if (node.type === "symlink") {
      if (++links > MAX_LINKS) throw new PlaceError(`more than ${MAX_LINKS} symbolic links`);
      if (node.target.startsWith("/")) above.length = 1;
      queue.push(...partsOf(node.target).reverse());
    } else if (node.type === "directory") {
      above.push(node);
      if (above.length > MAX_DEPTH) throw new PlaceError(`more than ${MAX_DEPTH} levels`);
    } else throw new PlaceError(`${show(name)} is no directory`);
  }
  return above.at(-1);
}

/** What a path names, links followed to the end as for opening it; undefined when nothing is there or it leads nowhere. */
export function findNode(root: DirectoryNode, path: ByteText): TreeNode | undefined {
  let parts = partsOf(path);
  let from: readonly ByteText[] = [];
  for (let links = 0; links <= MAX_LINKS; links++) {
    const name = parts.at(-1);
    if (name === undefined) return root;
    const above = [...from, ...parts.slice(0, -1)];
    const directory = tryDirectory(root, above);
    if (directory === undefined) return undefined;
    if (name === "..") return tryDirectory(root, [...above, name]);
    const node = directory.children.get(name);
    if (node?.type !== "symlink") return node;
    from = node.target.startsWith("/") ? [] : above;
    parts = partsOf(node.target);
    if (parts.length === 0) return tryDirectory(root, from);
  }
  return undefined;
}

function tryDirectory(root: DirectoryNode, parts: readonly ByteText[]): DirectoryNode | undefined {
  try {
    return findDirectory(root, parts);
  } catch (cause) {
    if (cause instanceof PlaceError) return undefined;
    throw cause;
  }
}
