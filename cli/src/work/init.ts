/**
 * Writes a recipe to start from: a small one that builds, or one made from an enclaver.yaml or nitro-cli's blobs.
 * @module
 */
import { stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { inputFailure, readInputText, writeAnswer } from "../frame/files.ts";
import { badValue, type Given } from "../frame/given.ts";
import { shellWord, shownPath } from "../frame/typed.ts";
import { parseEnclaverManifest } from "../importing/enclaver-manifest.ts";
import { recipeFromEnclaver } from "../importing/enclaver-recipe.ts";
import type { ImportedRecipe } from "../importing/import-warning.ts";
import { recipeFromBlobs } from "../importing/nitro-blobs.ts";
import { starterRecipe } from "../importing/starter-recipe.ts";
import { printable } from "../report/printable.ts";

const END = ".recipe.yaml";

/** Writes the recipe, and says what to type next and what it leaves out. */
export async function init(context: Context, given: Given): Promise<ExitCode> {
  const typed = given.argument(0);
  const file = resolve(context.cwd, context.options.out ?? (typed.endsWith(END) ? typed : `${typed}${END}`));
  const name = basename(typed, END);
  if (!/^[a-z0-9][a-z0-9.+-]{0,62}$/.test(name))
    throw badValue("the recipe's name", "lower-case letters, digits and . + -", name);
  if ((await stat(file).catch(() => undefined)) !== undefined) {
    const hint = "name another file, or edit that one";
    throw new Failure("BP-FILE-014", EXIT.cannotWrite, "exists already and is not overwritten", {
      file,
      hint,
    });
  }
  const { text, warnings, before } = await makeRecipe(context, given, { name, file });
  await writeAnswer(file, text);
  for (const { code, message } of warnings) context.note(`warning: ${printable(message)} (${code})`);
  const shown = shownPath(context.cwd, file);
  const [command, word] = [context.command, shellWord(shown)];
  const next = [...before, `${command} lock ${word}`, `${command} build ${word} --twice`];
  context.say(`wrote ${printable(shown)}\nnext:\n${next.map((command) => `  ${command}\n`).join("")}`, {
    schema: "bootproof/init/1",
    recipe: file,
    next,
    ...(warnings.length > 0 && { warnings }),
  });
  return EXIT.yes;
}

async function makeRecipe(
  context: Context,
  given: Given,
  { name, file }: { readonly name: string; readonly file: string },
): Promise<ImportedRecipe> {
  const folder = dirname(file);
  const typed = given.text("from");
  const image = imageBeside(context, given, folder);
  if (typed === undefined) {
    if (image !== undefined) throw badValue("--image", "with --from", "alone");
    return { text: starterRecipe(name), warnings: [], before: [] };
  }
  const from = resolve(context.cwd, typed);
  const found = await stat(from).catch((error: unknown) => {
    throw inputFailure(typed, error);
  });
  if (found.isDirectory()) return recipeFromBlobs({ name, from, folder, image });
  const manifest = parseEnclaverManifest(await readInputText(from), typed);
  return recipeFromEnclaver(manifest, { name, image, recipes: await ownRecipes(folder) });
}

/** An image must stand beside the recipe or below it: what a rebuilder gets is what stands there. */
function imageBeside(context: Context, given: Given, folder: string): string | undefined {
  const typed = given.text("image");
  if (typed === undefined) return undefined;
  const path = relative(folder, resolve(context.cwd, typed));
  if (/^(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\/)*[A-Za-z0-9_+-][A-Za-z0-9._+~-]*$/.test(path)) return path;
  throw badValue("--image", "a file in the recipe's folder or below it, with a plain name", typed);
}

/** The recipes of kernel and init that came with this program, as seen from `folder`; empty where there are none. */
async function ownRecipes(folder: string): Promise<string> {
  const recipes = resolve(import.meta.dirname, "../../../boot/recipes");
  const there = await stat(join(recipes, "linux-nitro.recipe.yaml")).catch(() => undefined);
  const path = relative(folder, recipes);
  const fits = /^(?:\.\.\/){0,8}(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\/)*[A-Za-z0-9_+-][A-Za-z0-9._+~-]*$/.test(
    path,
  );
  return there !== undefined && fits ? `${path}/` : "";
}
