/**
 * Removing what builds leave beside the blobs and can make again: unpacked toolchain roots, logs, halves of downloads,
 * and the work folders of killed builds. What a running build uses stays, however old.
 * @module
 */
import { readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { removeStalePartials } from "./partial-files.ts";
import { placesInUse } from "./places-in-use.ts";
import type { BuildStore } from "./toolchain-root.ts";
import { makeWorkFolder, measureFolder, removeFolder, removeStaleFolders } from "./work-folder.ts";

/** What a collection removed. */
export interface CollectedLeftovers {
  /** Unpacked toolchain roots; the packages give them again. */
  readonly roots: number;
  /** Log files; a finished build's log is also a blob. */
  readonly logs: number;
  readonly bytesFreed: number;
}

/** Removes every root, log and half download that was last used more than `olderThanMs` ago. */
export async function collectLeftovers(
  store: Pick<BuildStore, "path">,
  { olderThanMs }: { readonly olderThanMs: number },
): Promise<CollectedLeftovers> {
  const youngest = Date.now() - olderThanMs;
  await removeStaleFolders(join(store.path, "work"));
  await removeStaleFolders(join(store.path, "roots"));
  const roots = await collectRoots(store.path, youngest);
  const logs = await collectLogs(store.path, youngest);
  const partials = await removeStalePartials(join(store.path, "partial"), youngest);
  return {
    roots: roots.removed,
    logs: logs.removed,
    bytesFreed: roots.bytesFreed + logs.bytesFreed + partials,
  };
}

interface Collected {
  readonly removed: number;
  readonly bytesFreed: number;
}

async function collectRoots(store: string, youngest: number): Promise<Collected> {
  const folder = join(store, "roots");
  let removed = 0;
  let bytesFreed = 0;
  for (const name of (await readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name))) {
    const root = join(folder, name);
    // Its own time belongs to the tree; the inode's is when it was unpacked or last checked out.
    const found = await stat(root).catch(() => undefined);
    if (found === undefined || found.ctimeMs > youngest) continue;
    const size = await measureFolder(root);
    const aside = await makeWorkFolder(folder);
    try {
      // Asked last, because measuring takes a while. Moved first, so that nobody ever sees half of a root.
      if ((await placesInUse(join(store, "work"))).has(`roots/${name}`)) continue;
      await rename(root, join(aside, "root"));
    } finally {
      await removeFolder(aside);
    }
    removed++;
    bytesFreed += size;
  }
  return { removed, bytesFreed };
}

async function collectLogs(store: string, youngest: number): Promise<Collected> {
  const folder = join(store, "logs");
  const used = await placesInUse(join(store, "work"));
  let removed = 0;
  let bytesFreed = 0;
  for (const name of (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".log"))) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() !== true || found.mtimeMs > youngest || used.has(`logs/${name}`)) continue;
    await unlink(join(folder, name));
    removed++;
    bytesFreed += found.size;
  }
  return { removed, bytesFreed };
}
