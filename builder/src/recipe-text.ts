/**
 * Reads a recipe's text: YAML, schema, then what a schema cannot say; every problem with its place.
 * @module
 */
import { utf8 } from "@bootproof/bytes";
import { BuildError } from "./build-error.ts";
import { findEnclaveInconsistencies, unknownComponent } from "./enclave/check-enclave.ts";
import type { ComposingRecipe, Recipe, RecipeSource } from "./recipe.ts";
import { recipeSchema } from "./recipe-schema.ts";
import type { YamlPath } from "./yaml.ts";
import { readYamlAs, type Inconsistency } from "./yaml-schema.ts";

/** Largest recipe that is read, in bytes. */
export const MAX_RECIPE_SIZE = 262_144;

/** What the sandbox sets itself: a recipe that changed it would not build the same elsewhere. */
const RESERVED_ENV = /^(?:HOME|LC_ALL|TZ|PWD|LD_PRELOAD|FAKETIME.*|BASH_ENV)$/;

/** Parses a recipe; `file` names it in errors. Throws {@link BuildError} BP-RECIPE-001, 002 or 003 with every issue. */
export function parseRecipe(text: string, file: string): Recipe {
  const size = utf8(text).length;
  if (size > MAX_RECIPE_SIZE)
    throw new BuildError("BP-RECIPE-003", `${file}: the recipe is too large`, {
      file,
      expected: `at most ${MAX_RECIPE_SIZE} bytes`,
      found: `${size} bytes`,
    });
  const reading = readYamlAs(recipeSchema, text, file);
  if (!reading.ok)
    throw recipeError(reading.kind === "syntax" ? "BP-RECIPE-001" : "BP-RECIPE-002", file, reading.issues);
  const issues = [...findInconsistencies(reading.value)].map(({ path, message }) => {
    const { line, column } = reading.place(path, true);
    return `${file}:${line}:${column}: ${path.join(".")}: ${message}`;
  });
  if (issues.length > 0) throw recipeError("BP-RECIPE-002", file, issues);
  return reading.value;
}

const recipeError = (
  code: "BP-RECIPE-001" | "BP-RECIPE-002",
  file: string,
  issues: readonly string[],
): BuildError => new BuildError(code, issues.join("\n"), { file, issues });

function* findInconsistencies(recipe: Recipe): Generator<Inconsistency> {
  if (recipe.form === "composing") {
    yield* findComposingInconsistencies(recipe);
    return;
  }
  yield* findRepeats(recipe.source.map(sourceIdentity), ["source"]);
  yield* findRepeats(recipe.toolchain.packages, ["toolchain", "packages"]);
  yield* findRepeats(
    recipe.steps.map((step) => step.name),
    ["steps"],
  );
  for (const [name, value] of Object.entries(recipe.env)) {
    if (RESERVED_ENV.test(name))
      yield { path: ["env", name], message: "the sandbox sets this variable itself; leave it out" };
    if (name === "SOURCE_DATE_EPOCH" && !/^(?:0|[1-9][0-9]{0,10})$/.test(value))
      yield { path: ["env", name], message: "expected seconds since 1970 in decimal digits" };
  }
  for (const [index, source] of recipe.source.entries())
    if (source.kind !== "debian" && !/^[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}$/.test(source.name))
      yield { path: ["source", index], message: "its file name is unusable; give one with `name`" };
}

/** What must differ between two sources: the name in /source, or the source package. */
const sourceIdentity = (source: RecipeSource): string =>
  source.kind === "debian" ? `source package ${source.package}` : source.name;

function* findComposingInconsistencies(recipe: ComposingRecipe): Generator<Inconsistency> {
  const names = Object.keys(recipe.components);
  for (const [name, { from, kind }] of Object.entries(recipe.outputs)) {
    if (from === "cmdline") {
      if (kind === "eif")
        yield { path: ["outputs", name], message: "missing key `eif`, or `from`: component/output" };
      else if (kind !== "cmdline")
        yield { path: ["outputs", name], message: "missing key `from`: component/output" };
      else if (recipe.cmdline === undefined)
        yield { path: ["outputs", name], message: "the recipe has no key `cmdline` to take it from" };
    } else if ("component" in from) {
      const message = unknownComponent(from.component, names);
      if (message !== undefined) yield { path: ["outputs", name, "from"], message };
    } else
      for (const { path, message } of findEnclaveInconsistencies(from.eif, { kind, recipe }))
        yield { path: ["outputs", name, ...path], message };
  }
}

function* findRepeats(names: readonly string[], path: YamlPath): Generator<Inconsistency> {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) yield { path: [...path, index], message: `${name} appears twice` };
    seen.add(name);
  }
}
