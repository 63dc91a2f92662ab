/**
 * Removing blobs that nothing refers to. Reachability is the caller's knowledge; the age limit protects what another
 * process has put but not yet referred to.
 * @module
 */
import type { DirectoryBlobs } from "./directory-blobs.ts";

/** What a collection removed. */
export interface Collected {
  readonly removed: number;
  readonly bytesFreed: number;
}

/** Says which blobs stay: a set of SHA-256 names, or a test on one. */
export type Keep = ReadonlySet<string> | ((sha256: string) => boolean);

/** Removes every blob that `keep` does not name and nobody has put for `olderThanMs`. */
export async function collectGarbage(
  blobs: DirectoryBlobs,
  keep: Keep,
  { olderThanMs }: { readonly olderThanMs: number },
): Promise<Collected> {
  const youngest = Date.now() - olderThanMs;
  const kept = typeof keep === "function" ? keep : (sha256: string) => keep.has(sha256);
  let removed = 0;
  let bytesFreed = 0;
  for await (const { sha256, size } of blobs.list()) {
    if (kept(sha256) || !(await blobs.deleteIfOlder(sha256, youngest))) continue;
    removed++;
    bytesFreed += size;
  }
  await blobs.removeStaleTemporaries();
  return { removed, bytesFreed };
}
