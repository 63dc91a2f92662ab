/**
 * A file that a recipe names beside itself: a regular file that stands in the recipe's folder, also
 * after every link is followed, so that a recipe from elsewhere cannot carry this machine's files away.
 * @module
 */
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { BuildError } from "./build-error.ts";

// A source of this size belongs at a URL, not beside a recipe.
const MAX_SIZE = 256 * 2 ** 20;

/** The real path of `path` in the recipe's folder, or undefined when nothing is there; throws {@link BuildError} BP-RECIPE-006. */
export async function findLocalSource(folder: string, path: string): Promise<string | undefined> {
  const file = join(folder, path);
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return undefined;
  const real = await realpath(file);
  const root = await realpath(folder);
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep))
    throw new BuildError("BP-RECIPE-006", `${file}: is a link out of the recipe's folder`, {
      file,
      found: real,
    });
  if (!found.isFile()) throw new BuildError("BP-RECIPE-006", `${file}: is not a regular file`, { file });
  if (found.size > MAX_SIZE)
    throw new BuildError("BP-RECIPE-006", `${file}: is too large to stand beside a recipe`, {
      file,
      expected: `at most ${MAX_SIZE} bytes`,
      found: `${found.size} bytes`,
    });
  return real;
}
