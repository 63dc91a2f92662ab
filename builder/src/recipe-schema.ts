/**
 * The recipe's schema: from YAML values to {@link Recipe}, strictly.
 * @module
 */
import * as v from "valibot";
import {
  ARTIFACT_KINDS,
  DEBIAN_SUITES,
  type BuildingRecipe,
  type ComposedOutput,
  type ComposingRecipe,
  type DebianSuite,
  type PlatformAxes,
  type Recipe,
  type RecipeSource,
} from "./recipe.ts";
import { enclaveImage } from "./enclave/enclave-schema.ts";
import { platformAxes } from "./recipe-platforms.ts";
import {
  commandLine,
  componentOutput,
  fileName,
  hexText,
  lastSegment,
  listOf,
  mapOf,
  MAX_LIST,
  nameText,
  plainPath,
  urlName,
  urlText,
} from "./recipe-words.ts";
import { describe, strictKeys, text, word } from "./yaml-schema.ts";

// As MAX_LIST: what one recipe may fill.
const MAX_SCRIPT = 65_536;
const MAX_PACKAGES = 2048;

/** Components may stand in other folders: leading `../` is allowed there. */
const COMPONENT_PATH =
  /^(?:\.\.\/){0,8}(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\/){0,32}[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\.recipe\.yaml$/;
/** Debian policy 5.6.1 and 5.6.12. */
const DEBIAN_NAME = /^[a-z0-9][a-z0-9+.-]{1,99}$/;
const DEBIAN_VERSION = /^[0-9][A-Za-z0-9.+~:-]{0,199}$/;

const kind = word(ARTIFACT_KINDS);
const suite = word(DEBIAN_SUITES);

const sourceSchemas = {
  debian: strictKeys({
    debian: text(DEBIAN_NAME, "a Debian source package's name"),
    version: text(DEBIAN_VERSION, "a Debian version"),
    suite: v.optional(suite),
  }),
  file: strictKeys({ file: plainPath }),
  url: strictKeys({
    url: urlText,
    sha256: hexText(64),
    name: v.optional(fileName),
  }),
  git: strictKeys({
    git: text(/^(?:https?|ssh|file):\/\/[!-~]{1,2000}$/, "a URL of a git repository"),
    commit: hexText(40),
    name: v.optional(fileName),
  }),
} as const;

/** A source is told by which of its four keys it has. */
const sourceSchema = v.lazy((input: unknown) => {
  const keys = typeof input === "object" && input !== null ? Object.keys(input) : [];
  if (keys.includes("debian"))
    return v.pipe(
      sourceSchemas.debian,
      v.transform((source) => ({ kind: "debian" as const, ...source })),
    );
  if (keys.includes("file"))
    return v.pipe(
      sourceSchemas.file,
      v.transform((source) => ({ kind: "file" as const, ...source })),
    );
  if (keys.includes("url"))
    return v.pipe(
      sourceSchemas.url,
      v.transform((source) => ({ kind: "url" as const, ...source })),
    );
  if (keys.includes("git"))
    return v.pipe(
      sourceSchemas.git,
      v.transform((source) => ({ kind: "git" as const, ...source })),
    );
  return v.never(`expected a mapping with one of the keys debian, file, url, git`);
});
type WrittenSource = v.InferOutput<typeof sourceSchema>;

const stepSchema = strictKeys({
  name: text(/^[a-z0-9][a-z0-9-]{0,62}$/, "a name of lower-case letters, digits and -"),
  run: v.pipe(
    v.string((issue) => `expected a shell script, found ${describe(issue.input)}`),
    v.nonEmpty("expected a shell script, found nothing"),
    v.maxBytes(MAX_SCRIPT, `expected at most ${MAX_SCRIPT} bytes of script`),
  ),
});

const common = {
  name: nameText,
  version: text(/^[A-Za-z0-9][A-Za-z0-9.+~:_-]{0,99}$/, "a version"),
  platforms: v.optional(listOf<PlatformAxes>(platformAxes, MAX_LIST, 0), []),
};

const envSchema = v.record(
  text(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "a variable name"),
  text(/^[^\0]{0,4096}$/, "text"),
  (issue) => `expected a mapping, found ${describe(issue.input)}`,
);

const buildingSchema = v.pipe(
  strictKeys({
    ...common,
    source: v.optional(listOf(sourceSchema, MAX_LIST, 0), []),
    toolchain: strictKeys({
      suite,
      packages: listOf(text(DEBIAN_NAME, "a Debian package's name"), MAX_PACKAGES),
    }),
    env: v.optional(envSchema, {}),
    steps: listOf(stepSchema, MAX_LIST),
    outputs: mapOf(fileName, strictKeys({ path: plainPath, kind })),
  }),
  v.transform((written): BuildingRecipe => {
    const source = written.source.map((item) => namedSource(item, written.toolchain.suite));
    return { form: "building", ...written, source };
  }),
);

const composedOutput = v.pipe(
  strictKeys({ from: v.optional(componentOutput), eif: v.optional(enclaveImage), kind }),
  v.check(
    ({ from, eif }) => from === undefined || eif === undefined,
    "an output is either taken with `from` or assembled with `eif`",
  ),
  v.transform(({ from, eif, kind: written }): ComposedOutput => {
    if (eif !== undefined) return { from: { eif }, kind: written };
    if (from === undefined) return { from: "cmdline", kind: written };
    const [component = "", output = ""] = from.split("/");
    return { from: { component, output }, kind: written };
  }),
);

const composingSchema = v.pipe(
  strictKeys({
    ...common,
    components: v.optional(mapOf(nameText, text(COMPONENT_PATH, "a relative path of a *.recipe.yaml"))),
    cmdline: v.optional(commandLine),
    outputs: mapOf(fileName, composedOutput),
  }),
  v.transform(({ components = {}, ...written }): ComposingRecipe => ({
    form: "composing",
    ...written,
    components,
    cmdline: written.cmdline,
  })),
);

/** The composing form is told by its key `components`, or by an output that is assembled. */
function isComposing(input: unknown): boolean {
  if (typeof input !== "object" || input === null) return false;
  if ("components" in input) return true;
  const outputs = "outputs" in input ? input.outputs : undefined;
  if ("steps" in input || typeof outputs !== "object" || outputs === null) return false;
  return Object.values(outputs).some(
    (output) => typeof output === "object" && output !== null && "eif" in output,
  );
}

/** A recipe in either form. */
export const recipeSchema: v.GenericSchema<unknown, Recipe> = v.lazy((input: unknown) =>
  isComposing(input) ? composingSchema : buildingSchema,
);

function namedSource(source: WrittenSource, toolchainSuite: DebianSuite): RecipeSource {
  switch (source.kind) {
    case "debian":
      return {
        kind: "debian",
        package: source.debian,
        version: source.version,
        suite: source.suite ?? toolchainSuite,
      };
    case "file":
      return { kind: "file", path: source.file, name: lastSegment(source.file) };
    case "url":
      return {
        kind: "url",
        url: source.url,
        sha256: source.sha256,
        name: source.name ?? urlName(source.url),
      };
    case "git":
      return {
        kind: "git",
        url: source.git,
        commit: source.commit,
        name: source.name ?? `${lastSegment(source.git).replace(/\.git$/, "")}.tar`,
      };
  }
}
