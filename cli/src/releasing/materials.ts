/**
 * What a rebuilder needs besides Debian's archive: recipes, locks and the files beside recipes, all by sha256 under
 * `materials/sha256/`, with the provenance that names them.
 * @module
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { LockedRecipe } from "@bootproof/builder";
import { formatHex, sha256 } from "@bootproof/bytes";
import type { ResourceDescriptor } from "@bootproof/statement";

import { inputFailure, writeAnswer } from "../frame/files.ts";

/** A file that a rebuild needs, and the name under which provenance lists it. */
export interface Material {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** Names in a provenance's dependencies: what the file is, and of which component. */
export const MATERIAL_NAMES = {
  recipe: (component: string): string => (component === "" ? "recipe" : `component ${component} recipe`),
  lock: (component: string): string => (component === "" ? "lock" : `component ${component} lock`),
  file: (component: string, path: string): string =>
    component === "" ? `file ${path}` : `component ${component} file ${path}`,
} as const;

/** Lists the materials of a recipe and its components, read from beside the recipes. */
export async function collectMaterials(locked: LockedRecipe, component = ""): Promise<Material[]> {
  const { recipe, lock } = locked;
  const materials: Material[] = [
    { name: MATERIAL_NAMES.recipe(component), sha256: recipe.sha256, bytes: recipe.bytes },
    { name: MATERIAL_NAMES.lock(component), sha256: lock.sha256, bytes: lock.bytes },
  ];
  if (locked.form === "composing") {
    for (const [name, part] of locked.components)
      materials.push(...(await collectMaterials(part, component === "" ? name : `${component}/${name}`)));
    return materials;
  }
  for (const { origin } of locked.lock.lock.sources) {
    if (origin.kind !== "file") continue;
    const path = join(dirname(recipe.path), origin.path);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw inputFailure(path, error);
    });
    materials.push({
      name: MATERIAL_NAMES.file(component, origin.path),
      sha256: formatHex(sha256(bytes)),
      bytes,
    });
  }
  return materials;
}

/** Writes materials by hash; those that are there already are left alone. */
export async function writeMaterials(
  folder: string,
  materials: readonly Pick<Material, "sha256" | "bytes">[],
): Promise<void> {
  for (const { sha256: digest, bytes } of materials) {
    const path = join(folder, "sha256", digest);
    const there = await readFile(path).catch(() => undefined);
    if (there !== undefined && formatHex(sha256(there)) === digest) continue;
    await writeAnswer(path, bytes);
  }
}

/** Everything that a recipe's lock names, as provenance lists it; a component's inputs stand in its own lock. */
export function dependenciesOf(
  locked: LockedRecipe,
  materials: readonly Pick<Material, "name" | "sha256">[],
): ResourceDescriptor[] {
  const listed = materials
    .filter(({ name }) => name !== "recipe" && name !== "lock")
    .map(({ name, sha256: digest }) => ({ name, digest: { sha256: digest } }));
  if (locked.form === "composing") {
    const fetched = locked.lock.lock.sources.filter(({ origin }) => origin.kind === "url");
    const sources = fetched.map(({ name, sha256: digest }) => ({
      name: `source ${name}`,
      digest: { sha256: digest },
    }));
    return [...sources, ...listed];
  }
  const { packages, sources } = locked.lock.lock;
  return [
    ...packages.map(({ name, version, arch, sha256: digest }) => ({
      name: `package ${name} ${version} ${arch}`,
      digest: { sha256: digest },
    })),
    ...sources
      .filter(({ origin }) => origin.kind !== "file")
      .map(({ name, sha256: digest }) => ({ name: `source ${name}`, digest: { sha256: digest } })),
    ...listed,
  ];
}
