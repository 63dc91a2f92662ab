/**
 * Whether what lies beside a recipe, and beside its components, is still what their locks name: for authors, who edit
 * there. A build looks as well; this reads nothing else and keeps nothing.
 * @module
 */
import { dirname, join } from "node:path";
import { recipeParts } from "./enclave/enclave.ts";
import { localTar } from "./enclave/lock-parts.ts";
import { hashFile, hashStream } from "./hash-stream.ts";
import { changedSinceLock } from "./inputs.ts";
import { findLocalSource, MAX_IMAGE_SIZE, missingBeside } from "./local-source.ts";
import type { LockedSource } from "./lock.ts";
import type { LockedRecipe } from "./locked-recipe.ts";

/** Throws BuildError BP-INPUT-002 for the first file or folder that has changed, BP-RECIPE-006 for one that is gone. */
export async function checkBeside(locked: LockedRecipe, signal?: AbortSignal): Promise<void> {
  const folder = dirname(locked.recipe.path);
  for (const source of locked.lock.lock.sources) {
    const found = await digestBeside(source, locked, folder, signal);
    if (found !== undefined && found !== source.sha256)
      throw changedSinceLock(join(folder, placeOf(source)), source.sha256, found);
  }
  if (locked.form === "composing")
    for (const component of locked.components.values()) await checkBeside(component, signal);
}

/** The digest of what is there now; undefined for what comes from elsewhere. */
async function digestBeside(
  { origin }: LockedSource,
  locked: LockedRecipe,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (origin.kind === "file") {
    const file = await findLocalSource(folder, origin.path, MAX_IMAGE_SIZE);
    if (file === undefined) throw missingBeside(join(folder, origin.path));
    return (await hashFile(file, signal)).sha256;
  }
  if ((origin.kind !== "folder" && origin.kind !== "layout") || locked.form !== "composing") return undefined;
  const tar = await localTar(origin, recipeParts(locked.recipe.recipe), { folder, signal });
  if (tar === undefined) throw missingBeside(join(folder, origin.path));
  return (await hashStream(tar, signal)).sha256;
}

const placeOf = ({ name, origin }: LockedSource): string => ("path" in origin ? origin.path : name);
