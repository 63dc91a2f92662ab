/**
 * Materials that may be large: what a composing recipe takes from beside itself. They are copied out of the store,
 * where the build has put them, and never held in memory.
 * @module
 */
import { createReadStream } from "node:fs";
import { copyFile, constants, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { LockedRecipe } from "@bootproof/builder";
import { formatHex, startHash } from "@bootproof/bytes";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { outputFailure } from "../frame/files.ts";
import type { OpenStore } from "../places/store-place.ts";
import { MATERIAL_NAMES } from "./materials.ts";

/** A file in the store that a rebuild needs, and the name under which provenance lists it. */
export interface StoredMaterial {
  readonly name: string;
  readonly sha256: string;
  readonly path: string;
}

const CHUNK = 1024 * 1024;

/** Lists what a recipe and its components take from beside themselves; what has a URL is fetched from there. */
export function listStoredMaterials(
  locked: LockedRecipe,
  store: OpenStore,
  component = "",
): StoredMaterial[] {
  if (locked.form === "building") return [];
  const own = locked.lock.lock.sources.flatMap(({ sha256, origin }): StoredMaterial[] =>
    "path" in origin
      ? [{ name: MATERIAL_NAMES.file(component, origin.path), sha256, path: store.blobs.path(sha256) }]
      : [],
  );
  const below = [...locked.components].flatMap(([name, part]) =>
    listStoredMaterials(part, store, component === "" ? name : `${component}/${name}`),
  );
  return [...own, ...below];
}

/** Copies materials by hash; those that are there already, whole, are left alone. */
export async function copyMaterials(folder: string, materials: readonly StoredMaterial[]): Promise<void> {
  for (const { name, sha256, path } of materials) {
    const target = join(folder, "sha256", sha256);
    if ((await hashFile(target).catch(() => undefined)) === sha256) continue;
    const temporary = `${target}.${String(process.pid)}.tmp`;
    try {
      await mkdir(dirname(target), { recursive: true });
      await copyFile(path, temporary, constants.COPYFILE_FICLONE);
      const found = await hashFile(temporary);
      if (found !== sha256) throw damaged(name, path, sha256, found);
      await rename(temporary, target);
    } catch (error) {
      throw error instanceof Failure ? error : outputFailure(target, error);
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = startHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>)
    hash.update(chunk);
  return formatHex(hash.digest());
}

function damaged(name: string, file: string, expected: string, found: string): Failure {
  return new Failure("BP-STORE-004", EXIT.malformed, `the stored material ${name} is damaged`, {
    file,
    expected: `sha256 ${expected}`,
    found: `sha256 ${found}`,
    hint: "delete this file and run the command again; `bootproof store verify` checks all others",
  });
}
