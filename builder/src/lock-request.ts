/**
 * Whether a lock answers its recipe: only the toolchain and the sources count, so a comment, a step
 * or an output can change without a new lock.
 * @module
 */
import { BuildError } from "./build-error.ts";
import { recipeParts } from "./enclave/enclave.ts";
import type { Lock, LockRequest, SourceOrigin } from "./lock.ts";
import type { BuildingRecipe, ComposingRecipe, Recipe, RecipeSource } from "./recipe.ts";

/** The request of a building recipe, in the lock's words. */
export function requestOf(recipe: BuildingRecipe): LockRequest {
  return {
    suite: recipe.toolchain.suite,
    packages: [...recipe.toolchain.packages].sort(),
    sources: recipe.source.map(formatSource).sort(),
  };
}

function formatSource(source: RecipeSource): string {
  switch (source.kind) {
    case "debian":
      return `debian ${source.package} ${source.version} ${source.suite}`;
    case "file":
      return `file ${source.path}`;
    case "url":
      return `url ${source.name} ${source.sha256} ${source.url}`;
    case "git":
      return `git ${source.name} ${source.commit} ${source.url}`;
  }
}

/** One line for each way in which `lock` does not answer `recipe`; none when it does. */
export function findLockDifferences(recipe: Recipe, lock: Lock): readonly string[] {
  if (recipe.form === "building" && lock.form === "building") {
    const wanted = requestOf(recipe);
    return [
      ...(wanted.suite === lock.request.suite
        ? []
        : [`toolchain: the recipe asks for suite ${wanted.suite}, the lock has ${lock.request.suite}`]),
      ...setDifferences("package", wanted.packages, lock.request.packages),
      ...setDifferences("source", wanted.sources, lock.request.sources),
    ];
  }
  if (recipe.form === "composing" && lock.form === "composing") {
    const pinned = lock.sources.map(({ sha256, origin }) => pinnedLine(sha256, origin));
    return [
      ...setDifferences(
        "component",
        componentLines(recipe),
        lock.components.map(({ name, recipe: path }) => `${name} ${path}`),
      ),
      ...setDifferences("source", wantedLines(recipe, pinned), pinned),
    ];
  }
  return [`the recipe is ${recipe.form}, the lock is of a ${lock.form} recipe`];
}

const componentLines = (recipe: ComposingRecipe): string[] =>
  Object.entries(recipe.components).map(([name, path]) => `${name} ${path}`);

/** What a composing recipe wants pinned; an image's path answers to a file as well as to a layout's folder. */
function wantedLines(recipe: ComposingRecipe, pinned: readonly string[]): string[] {
  const lines = recipeParts(recipe).map((part) => {
    if (part.kind === "url") return pinnedLine(part.sha256, part);
    const layout = pinnedLine("", { kind: "layout", path: part.path });
    if (part.kind !== "image") return pinnedLine("", { kind: part.kind, path: part.path });
    return pinned.includes(layout) ? layout : pinnedLine("", { kind: "file", path: part.path });
  });
  return [...new Set(lines)];
}

// A URL's hash stands in the recipe, so another hash is another request; what lies beside the recipe has none there.
function pinnedLine(sha256: string, origin: SourceOrigin): string {
  if (origin.kind === "url") return `url ${sha256} ${origin.url}`;
  return origin.kind === "git" ? `git ${origin.commit} ${origin.url}` : `${origin.kind} ${origin.path}`;
}

function setDifferences(what: string, wanted: readonly string[], locked: readonly string[]): string[] {
  return [
    ...wanted
      .filter((item) => !locked.includes(item))
      .map((item) => `${what} ${item}: in the recipe, not in the lock`),
    ...locked
      .filter((item) => !wanted.includes(item))
      .map((item) => `${what} ${item}: in the lock, not in the recipe`),
  ];
}

/** True when `lock` answers `recipe`. */
export const hasMatchingLock = (recipe: Recipe, lock: Lock): boolean =>
  findLockDifferences(recipe, lock).length === 0;

/** Throws {@link BuildError} BP-LOCK-003, naming each difference, unless `lock` answers `recipe`. */
export function checkLockMatches(recipe: Recipe, lock: Lock, lockFile: string, recipeFile: string): void {
  const issues = findLockDifferences(recipe, lock);
  if (issues.length === 0) return;
  throw new BuildError(
    "BP-LOCK-003",
    `${lockFile} does not match its recipe:\n${issues.map((issue) => `  ${issue}`).join("\n")}`,
    { file: lockFile, issues, hint: `lock it again: bootproof lock ${recipeFile}` },
  );
}
