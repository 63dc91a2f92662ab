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
  const path = join(folder, ...Array.from({ length: DEPTH }, () => "d"), `${name}.recipe.yaml`);
  const placing = { folder, finder, named: await provenanceNames(build.provenance.sha256, finder) };
  const recipe = await findOrMiss(finder, build.recipe.sha256, MATERIAL_NAMES.recipe(""));
  await placeRecipe(placing, { component: "", path, recipe, lock: build.lock.sha256 });
  return path;
}

interface Placing {
  readonly folder: string;
  readonly finder: MaterialFinder;
  readonly named: ReadonlyMap<string, string>;
}

interface Placed {
  readonly component: string;
  readonly path: string;
  readonly recipe: Uint8Array;
  readonly lock: string;
}

async function placeRecipe(placing: Placing, { component, path, recipe, lock }: Placed): Promise<void> {
  const { folder, finder } = placing;
  if (!path.startsWith(`${folder}/`))
    throw new ParseError("OUT_OF_RANGE", `path of component ${component}`, {
      expected: "a path below the scratch folder",
    });
  const lockBytes = await findOrMiss(finder, lock, MATERIAL_NAMES.lock(component));
  await place(path, recipe);
  await place(lockPathOf(path), lockBytes);
  const parsed = parseRecipe(parseUtf8(recipe, "recipe"), MATERIAL_NAMES.recipe(component));
  const parsedLock = parseLock(parseUtf8(lockBytes, "lock"), MATERIAL_NAMES.lock(component));
  if (parsedLock.form === "building") {
    // Files beside recipes: finding them puts them into the store, where the builder looks.
    for (const { origin, sha256 } of parsedLock.sources)
      if (origin.kind === "file") await finder.find(sha256);
    return;
  }
  if (parsed.form !== "composing") return;
  for (const [name, relative] of Object.entries(parsed.components)) {
    const below = component === "" ? name : `${component}/${name}`;
    const lockDigest = parsedLock.components.find((entry) => entry.name === name)?.lock;
    if (lockDigest === undefined)
      throw new MissingMaterial(`the lock names no ${MATERIAL_NAMES.lock(below)}`);
    const found = await findComponent(placing, below, lockDigest);
    await placeRecipe(placing, {
      component: below,
      path: resolve(dirname(path), relative),
      recipe: found,
      lock: lockDigest,
    });
  }
}

/** A component's recipe: by the hash that the provenance names, or else the one beside its lock. */
async function findComponent(
  { finder, named }: Placing,
  component: string,
  lock: string,
): Promise<Uint8Array> {
  const what = MATERIAL_NAMES.recipe(component);
  const digest = named.get(what);
  if (digest !== undefined) return findOrMiss(finder, digest, what);
  const beside = await finder.findRecipeOfLock(lock);
  if (beside !== undefined) return beside;
  throw new MissingMaterial(
    `${what} was not found: no provenance that names it, no local recipe of its lock\nasked: ${finder.describePlaces()}`,
  );
}

/** What the provenance names, by name, when it is to be had; the release's statement pins it by hash. */
async function provenanceNames(digest: string, finder: MaterialFinder): Promise<ReadonlyMap<string, string>> {
  const bytes = await finder.find(digest);
  if (bytes === undefined) return new Map();
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
