/**
 * A recipe together with its lock and, when it composes, its components with theirs; every check
 * that can be made without an input.
 * @module
 */
import { dirname, resolve } from "node:path";
import { BuildError } from "./build-error.ts";
import type { BuildingLock, ComposingLock } from "./lock.ts";
import { checkLockMatches } from "./lock-request.ts";
import { takenOutputs } from "./enclave/check-enclave.ts";
import type { ArtifactKind, BuildingRecipe, ComposedOutput, ComposingRecipe } from "./recipe.ts";
import { loadLock, loadRecipe, lockPathOf, type LoadedLock, type LoadedRecipe } from "./recipe-files.ts";

const MAX_DEPTH = 8;

/** A building recipe with the lock that answers it. */
export interface LockedBuilding {
  readonly form: "building";
  readonly recipe: LoadedRecipe & { readonly recipe: BuildingRecipe };
  readonly lock: LoadedLock & { readonly lock: BuildingLock };
}

/** A composing recipe with its lock and its components, sorted by name. */
export interface LockedComposition {
  readonly form: "composing";
  readonly recipe: LoadedRecipe & { readonly recipe: ComposingRecipe };
  readonly lock: LoadedLock & { readonly lock: ComposingLock };
  readonly components: ReadonlyMap<string, LockedRecipe>;
}

/** A recipe and its lock, of either form. */
export type LockedRecipe = LockedBuilding | LockedComposition;

/**
 * Loads a recipe, its lock and its components; throws {@link BuildError} BP-RECIPE or BP-LOCK when
 * one is absent or malformed, a lock does not match, or a component lacks what is taken from it.
 */
export async function loadLockedRecipe(recipePath: string): Promise<LockedRecipe> {
  return load(recipePath, []);
}

async function load(recipePath: string, above: readonly string[]): Promise<LockedRecipe> {
  const recipe = await loadRecipe(recipePath);
  refuseCycle(recipe.path, above);
  const lock = await loadLock(lockPathOf(recipePath));
  checkLockMatches(recipe.recipe, lock.lock, lock.path, recipePath);
  if (recipe.recipe.form === "building" && lock.lock.form === "building")
    return {
      form: "building",
      recipe: { ...recipe, recipe: recipe.recipe },
      lock: { ...lock, lock: lock.lock },
    };
  return loadComposition(recipe as LockedComposition["recipe"], lock as LockedComposition["lock"], above);
}

/** Throws {@link BuildError} BP-RECIPE-005 when a recipe composes itself, or too deeply. */
export function refuseCycle(recipePath: string, above: readonly string[]): void {
  if (above.includes(recipePath))
    throw new BuildError("BP-RECIPE-005", `${recipePath}: the recipe composes itself`, {
      file: recipePath,
      found: [...above, recipePath].join(" -> "),
    });
  if (above.length >= MAX_DEPTH)
    throw new BuildError("BP-RECIPE-005", `${recipePath}: recipes compose each other too deeply`, {
      file: recipePath,
      expected: `at most ${MAX_DEPTH} levels`,
    });
}

/** The absolute path of each component's recipe, sorted by component. */
export function componentPaths(
  recipe: LoadedRecipe & { readonly recipe: ComposingRecipe },
): [string, string][] {
  const folder = dirname(recipe.path);
  return Object.entries(recipe.recipe.components)
    .map(([name, path]): [string, string] => [name, resolve(folder, path)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

async function loadComposition(
  recipe: LockedComposition["recipe"],
  lock: LockedComposition["lock"],
  above: readonly string[],
): Promise<LockedComposition> {
  const components = new Map<string, LockedRecipe>();
  for (const [name, path] of componentPaths(recipe)) {
    const component = await load(path, [...above, recipe.path]);
    const expected = lock.lock.components.find((entry) => entry.name === name)?.lock;
    if (expected !== component.lock.sha256)
      throw new BuildError(
        "BP-LOCK-005",
        `${lock.path}: component ${name} has another lock than this one names`,
        {
          file: lock.path,
          ...(expected === undefined ? {} : { expected }),
          found: component.lock.sha256,
          hint: `lock it again: bootproof lock ${recipe.path}`,
        },
      );
    components.set(name, component);
  }
  checkTakenOutputs(recipe, components);
  return { form: "composing", recipe, lock, components };
}

function checkTakenOutputs(
  recipe: LockedComposition["recipe"],
  components: ReadonlyMap<string, LockedRecipe>,
): void {
  const issues: string[] = [];
  for (const [name, { from, kind }] of Object.entries(recipe.recipe.outputs))
    for (const taken of takenBy(from, kind)) {
      const outputs = components.get(taken.component)?.recipe.recipe.outputs ?? {};
      const output = outputs[taken.output];
      if (output === undefined)
        issues.push(
          `output ${name}: component ${taken.component} has no output ${taken.output}; it has ${Object.keys(outputs).join(", ")}`,
        );
      else if (!taken.kinds.includes(output.kind))
        issues.push(
          `output ${name}: is ${taken.kinds.join(" or ")} here, ${output.kind} in component ${taken.component}`,
        );
    }
  if (issues.length > 0)
    throw new BuildError(
      "BP-RECIPE-005",
      `${recipe.path}:\n${issues.map((issue) => `  ${issue}`).join("\n")}`,
      {
        file: recipe.path,
        issues,
      },
    );
}

function takenBy(from: ComposedOutput["from"], kind: ArtifactKind): ReturnType<typeof takenOutputs> {
  if (from === "cmdline") return [];
  return "eif" in from ? takenOutputs(from.eif) : [{ ...from, kinds: [kind] }];
}
