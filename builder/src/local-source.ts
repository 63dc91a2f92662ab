/**
 * A file or folder that a recipe names beside itself: it stands in the recipe's folder, also
 * after every link is followed, so that a recipe from elsewhere cannot carry this machine's files away.
 * @module
 */
import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { BuildError } from "./build-error.ts";

// A source of this size belongs at a URL, not beside a recipe.
const MAX_SIZE = 256 * 2 ** 20;

/** Largest image that may stand beside a recipe: as large as any input. */
export const MAX_IMAGE_SIZE: number = 16 * 2 ** 30;

/** The real path of the file `path` in the recipe's folder, or undefined when nothing is there; throws {@link BuildError} BP-RECIPE-006. */
export async function findLocalSource(
  folder: string,
  path: string,
  maxSize: number = MAX_SIZE,
): Promise<string | undefined> {
  const file = join(folder, path);
  const found = await findInFolder(folder, file);
  if (found === undefined) return undefined;
  if (!found.stats.isFile())
    throw new BuildError("BP-RECIPE-006", `${file}: is not a regular file`, { file });
  if (found.stats.size > maxSize)
    throw new BuildError("BP-RECIPE-006", `${file}: is too large to stand beside a recipe`, {
      file,
      expected: `at most ${maxSize} bytes`,
      found: `${found.stats.size} bytes`,
    });
  return found.real;
}

/** The real path of the folder `path` in the recipe's folder, or undefined when nothing is there; throws {@link BuildError} BP-RECIPE-006. */
export async function findLocalFolder(folder: string, path: string): Promise<string | undefined> {
  const place = join(folder, path);
  const found = await findInFolder(folder, place);
  if (found === undefined) return undefined;
  if (!found.stats.isDirectory())
    throw new BuildError("BP-RECIPE-006", `${place}: is not a folder`, { file: place });
  return found.real;
}

/** What a recipe names beside itself is not there. */
export const missingBeside = (place: string): BuildError =>
  new BuildError("BP-RECIPE-006", `${place}: the recipe names it, and it is not there`, { file: place });

async function findInFolder(
  folder: string,
  place: string,
): Promise<{ readonly stats: Stats; readonly real: string } | undefined> {
  const stats = await stat(place).catch(() => undefined);
  if (stats === undefined) return undefined;
  const real = await realpath(place);
  const root = await realpath(folder);
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep))
    throw new BuildError("BP-RECIPE-006", `${place}: is a link out of the recipe's folder`, {
      file: place,
      found: real,
    });
  return { stats, real };
}
