/**
 * The root file system of a lock's packages, unpacked once and kept in the store: its tree is remembered by the
 * packages, its files lie under `roots/<digest of the tree>` and are hashed again before every real build.
 * @module
 */
import { chmod, rename } from "node:fs/promises";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import type { DirectoryBlobs, Refs } from "@bootproof/store";
import { BuildError } from "./build-error.ts";
import type { LockedPackage } from "./lock.ts";
import { buildMerkleTree } from "./merkle.ts";
import type { RemoteDigest } from "./remote-execution.ts";
import { addRootExtras, findFakeTime } from "./root-extras.ts";
import { firstTreeDifference, readTree, settleTree } from "./tree-on-disk.ts";
import { formatTree, parseTree } from "./tree-text.ts";
import type { Tree, TreeEntry } from "./tree.ts";
import { unpackAll } from "./unpack.ts";
import { makeWorkFolder, removeFolder, removeStaleFolders } from "./work-folder.ts";

/** Changes whenever the same packages would be unpacked to another tree. */
const CONVENTIONS = "bootproof toolchain root 1";

/** Programs that the sandbox itself runs inside; every other need is the recipe's own. */
const NEEDED: readonly string[] = ["usr/bin/bash", "usr/bin/sh"];

/** The store as the builder uses it. */
export interface BuildStore {
  /** Its folder; `roots` and `work` in it are ours. */
  readonly path: string;
  readonly blobs: DirectoryBlobs;
  readonly refs: Refs;
}

/** A toolchain's tree and digest; its files need not be there. */
export interface ToolchainRoot {
  readonly tree: Tree;
  readonly digest: RemoteDigest;
  /** The clock-fixing library, as an absolute path inside. */
  readonly fakeTime: string;
}

/** What a caller may follow and stop. */
export interface RootOptions {
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onUnpacked?: (name: string, done: number, total: number) => void;
  /** Told when the kept files are not what they should be, before they are made again. */
  readonly onDamaged?: (path: string) => void;
}

/** The toolchain root of `packages`, recalled or unpacked now; for that their files must be in the store. */
export async function openToolchainRoot(
  store: BuildStore,
  packages: readonly LockedPackage[],
  options: RootOptions = {},
): Promise<ToolchainRoot> {
  const known = await recallToolchainRoot(store, packages);
  if (known !== undefined) return known;
  const root = await unpackRoot(store, packages, options);
  const { sha256: tree } = await store.blobs.put(formatTree(root.tree));
  await store.refs.set(refOf(packages), tree);
  return root;
}

/** The toolchain root of `packages` if they were unpacked before; needs neither their files nor its own. */
export async function recallToolchainRoot(
  store: BuildStore,
  packages: readonly LockedPackage[],
): Promise<ToolchainRoot | undefined> {
  const known = await store.refs.get(refOf(packages));
  const bytes = known === undefined ? undefined : await store.blobs.get(known);
  return bytes === undefined ? undefined : asRoot(parseTree(bytes));
}

/**
 * The folder with the root's files, every one hashed just now. Files that are absent are unpacked; files that differ
 * are thrown away and unpacked again. Throws {@link BuildError} BP-ROOT-001 when the packages do not give this tree.
 */
export async function checkOutToolchainRoot(
  store: BuildStore,
  packages: readonly LockedPackage[],
  root: ToolchainRoot,
  options: RootOptions = {},
): Promise<string> {
  const folder = join(store.path, "roots", root.digest.hash);
  const damage = await findDamage(folder, root.tree, options.signal);
  if (damage === undefined) {
    // Changes nothing but the inode's time, by which a collection sees when a root was last used. Another user's root
    // in a shared store stays as it is.
    await chmod(folder, 0o755).catch(() => undefined);
    return folder;
  }
  if (damage !== "") {
    options.onDamaged?.(join(folder, damage));
    const aside = await makeWorkFolder(join(store.path, "roots"));
    await rename(folder, join(aside, "damaged"));
    await removeFolder(aside);
  }
  const fresh = await unpackRoot(store, packages, options);
  if (fresh.digest.hash !== root.digest.hash)
    throw new BuildError("BP-ROOT-001", "the packages unpack to another root than the store remembers", {
      expected: root.digest.hash,
      found: fresh.digest.hash,
      hint: `remove ${join(store.path, "refs", "root")} and build again`,
    });
  return folder;
}

/** The first path that differs; "" when nothing is there; undefined when all is well. */
async function findDamage(folder: string, tree: Tree, signal?: AbortSignal): Promise<string | undefined> {
  try {
    return firstTreeDifference(tree, await readTree(folder, signal));
  } catch (cause) {
    signal?.throwIfAborted();
    return (cause as NodeJS.ErrnoException).code === "ENOENT" ? "" : ".";
  }
}

async function unpackRoot(
  store: BuildStore,
  packages: readonly LockedPackage[],
  options: RootOptions,
): Promise<ToolchainRoot> {
  const roots = join(store.path, "roots");
  await removeStaleFolders(roots);
  const work = await makeWorkFolder(roots);
  try {
    const folder = join(work, "root");
    mkdirSync(folder);
    const files = packages.map(({ name, sha256: hash, size }) => ({
      name,
      size,
      sha256: hash,
      path: store.blobs.path(hash),
    }));
    const tree = new Map<string, TreeEntry>(await unpackAll(files, folder, options));
    addRootExtras(tree, folder);
    settleTree(folder, tree);
    const root = asRoot(tree);
    await publish(folder, join(roots, root.digest.hash));
    return root;
  } finally {
    await removeFolder(work);
  }
}

/** Another process may have published the same root meanwhile; both are right. */
async function publish(folder: string, target: string): Promise<void> {
  try {
    await rename(folder, target);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw cause;
  }
}

function asRoot(tree: Tree): ToolchainRoot {
  for (const path of NEEDED)
    if (!tree.has(path))
      throw new BuildError("BP-ROOT-002", `the toolchain has no /${path}`, {
        hint: "add bash to the recipe's toolchain, then lock again",
      });
  const fakeTime = findFakeTime(tree);
  if (fakeTime === undefined)
    throw new BuildError("BP-ROOT-002", "the lock has no libfaketime, which fixes the clock of a build", {
      hint: "lock again: bootproof lock adds it",
    });
  return { tree, digest: buildMerkleTree(tree).root, fakeTime: `/${fakeTime}` };
}

function refOf(packages: readonly LockedPackage[]): string {
  const hashes = packages.map(({ sha256: hash }) => hash).sort();
  return `root/${formatHex(sha256(utf8([CONVENTIONS, ...hashes, ""].join("\n"))))}`;
}
