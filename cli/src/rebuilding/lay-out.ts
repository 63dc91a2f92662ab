/**
 * Lays a release's recipes and locks out in a scratch folder as they stood where they were written, so that the
 * builder loads them as it loads any recipe.
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { lockPathOf, parseLock, parseRecipe } from "@bootproof/builder";
import { equalBytes, ParseError, parseUtf8 } from "@bootproof/bytes";
import { parseEnvelope, parseStatement, readProvenance, type BootMeasurement } from "@bootproof/statement";

import { MATERIAL_NAMES } from "../releasing/materials.ts";
import type { MaterialFinder } from "./find-materials.ts";

/** Something that a rebuild needs is nowhere: verdict INPUTS-MISSING. */
export class MissingMaterial extends Error {
  override readonly name = "MissingMaterial";
}

/** The recipes of a release, laid out. */
export interface LaidOut {
  /** To be removed afterwards. */
  readonly folder: string;
  /** Path of the release's own recipe. */
  readonly recipe: string;
}

// Components may stand up to eight folders above their recipe, and so may theirs.
const DEPTH = 64;

/** Finds and lays out everything that `build` names; throws {@link MissingMaterial}, or ParseError for what is malformed. */
export async function layOut(
  build: BootMeasurement["build"],
  name: string,
  finder: MaterialFinder,
): Promise<LaidOut> {
  const folder = await mkdtemp(join(tmpdir(), "bootproof-rebuild-"));
  try {
    return { folder, recipe: await layOutIn(folder, build, name, finder) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function layOutIn(
  folder: string,
  build: BootMeasurement["build"],
  name: string,
  finder: MaterialFinder,
): Promise<string> {
  const recipe = join(folder, ...Array.from({ length: DEPTH }, () => "d"), `${name}.recipe.yaml`);
  const named = await provenanceNames(build.provenance.sha256, finder);
  const placing = { folder, finder, named };
  await placeRecipe(placing, {
    component: "",
    path: recipe,
    recipe: build.recipe.sha256,
    lock: build.lock.sha256,
  });
  for (const [what, digest] of named)
    // Files beside recipes: the builder takes them from the store, where finding them has put them.
    if (/^(component \S+ )?file /.test(what)) await finder.find(digest);
  return recipe;
}

interface Placing {
  readonly folder: string;
  readonly finder: MaterialFinder;
  readonly named: ReadonlyMap<string, string>;
}

interface Placed {
  readonly component: string;
  readonly path: string;
  readonly recipe: string;
  readonly lock: string;
}

async function placeRecipe(placing: Placing, { component, path, recipe, lock }: Placed): Promise<void> {
  const { folder, finder, named } = placing;
  if (!path.startsWith(`${folder}/`))
    throw new ParseError("OUT_OF_RANGE", `path of component ${component}`, {
      expected: "a path below the scratch folder",
    });
  const recipeBytes = await findOrMiss(finder, recipe, MATERIAL_NAMES.recipe(component));
  const lockBytes = await findOrMiss(finder, lock, MATERIAL_NAMES.lock(component));
  await place(path, recipeBytes);
  await place(lockPathOf(path), lockBytes);
  const parsed = parseRecipe(parseUtf8(recipeBytes, "recipe"), MATERIAL_NAMES.recipe(component));
  const parsedLock = parseLock(parseUtf8(lockBytes, "lock"), MATERIAL_NAMES.lock(component));
  if (parsed.form !== "composing" || parsedLock.form !== "composing") return;
  for (const [name, relative] of Object.entries(parsed.components)) {
    const below = component === "" ? name : `${component}/${name}`;
    const what = MATERIAL_NAMES.recipe(below);
    const digest = named.get(what);
    const lockDigest = parsedLock.components.find((entry) => entry.name === name)?.lock;
    if (digest === undefined || lockDigest === undefined)
      throw new MissingMaterial(
        `the provenance names no ${digest === undefined ? what : MATERIAL_NAMES.lock(below)}`,
      );
    await placeRecipe(placing, {
      component: below,
      path: resolve(dirname(path), relative),
      recipe: digest,
      lock: lockDigest,
    });
  }
}

/** What the provenance names, by name; the release's statement pins the provenance by hash. */
async function provenanceNames(digest: string, finder: MaterialFinder): Promise<ReadonlyMap<string, string>> {
  const bytes = await findOrMiss(finder, digest, "provenance");
  const statement = parseStatement(parseEnvelope(bytes).unverifiedPayload);
  const { resolvedDependencies } = readProvenance(statement).predicate.buildDefinition;
  return new Map(
    resolvedDependencies.map((dependency) => [dependency.name, dependency.digest["sha256"] ?? ""]),
  );
}

async function findOrMiss(finder: MaterialFinder, digest: string, what: string): Promise<Uint8Array> {
  const bytes = /^[0-9a-f]{64}$/.test(digest) ? await finder.find(digest) : undefined;
  if (bytes === undefined)
    throw new MissingMaterial(`${what} (sha256 ${digest}) was not found\nasked: ${finder.describePlaces()}`);
  return bytes;
}

async function place(path: string, bytes: Uint8Array): Promise<void> {
  const there = await readFile(path).catch(() => undefined);
  if (there !== undefined && !equalBytes(new Uint8Array(there), bytes))
    throw new ParseError("DUPLICATE", "path of a component's recipe", { expected: "one recipe at one path" });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
