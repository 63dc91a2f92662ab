/**
 * Brings what an enclave image is made from into the store. What lies beside the recipe is looked at each time, so
 * that an edit since the lock is noticed; a rebuilder, who has nothing beside the recipe, finds it by hash.
 * @module
 */
import { dirname, join } from "node:path";
import { openInputStore, putVerified, type InputStore } from "../fetch-blob.ts";
import { hashStream } from "../hash-stream.ts";
import { changedSinceLock, fetchInputs, type FetchOptions } from "../inputs.ts";
import { MAX_IMAGE_SIZE } from "../local-source.ts";
import type { LockedComposition } from "../locked-recipe.ts";
import { recipeParts } from "./enclave.ts";
import { localTar } from "./lock-parts.ts";

/** Brings every part that the lock of `recipe` names; throws BuildError as {@link fetchInputs} does, or BP-ENCLAVE-001. */
export async function bringParts(
  { recipe, lock }: LockedComposition,
  options: Omit<FetchOptions, "recipeFolder" | "maxFileSize">,
): Promise<void> {
  const { sources } = lock.lock;
  const folder = dirname(recipe.path);
  const store = await openInputStore(options.store);
  const parts = recipeParts(recipe.recipe);
  for (const { sha256, origin } of sources) {
    if (origin.kind !== "folder" && origin.kind !== "layout") continue;
    const tar = await localTar(origin, parts, { folder, signal: options.signal });
    if (tar === undefined) continue;
    const different = await keep(store, tar, sha256);
    if (different !== undefined) throw changedSinceLock(join(folder, origin.path), sha256, different);
  }
  await fetchInputs(
    { releases: [], packages: [], sources },
    { ...options, recipeFolder: folder, maxFileSize: MAX_IMAGE_SIZE },
  );
}

/** Keeps a stream in the store when it has that sha256, without writing again what is there; else the one it has. */
async function keep(
  store: InputStore,
  source: AsyncIterable<Uint8Array>,
  sha256: string,
): Promise<string | undefined> {
  if (!(await store.blobs.touch(sha256))) return putVerified(store, source, sha256);
  const found = await hashStream(source);
  return found.sha256 === sha256 ? undefined : found.sha256;
}
