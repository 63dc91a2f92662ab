/**
 * The recipe's schema: from YAML values to {@link Recipe}, strictly.
 * @module
 */
import * as v from "valibot";
import {
  ARTIFACT_KINDS,
  DEBIAN_SUITES,
  type BuildingRecipe,
  type ComposingRecipe,
  type DebianSuite,
  type PlatformAxes,
  type Recipe,
  type RecipeSource,
} from "./recipe.ts";
import { platformAxes } from "./recipe-platforms.ts";
import { describe, strictKeys, text, word } from "./yaml-schema.ts";

// Caps keep one hostile recipe from filling a screen, an action or a log leaf.
const MAX_SCRIPT = 65_536;
const MAX_LIST = 256;
const MAX_PACKAGES = 2048;
const MAX_CMDLINE = 4096;

/** Names of files in /source and of outputs: one path segment, no leading dot. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}$/;
/** A relative path of plain segments; `.` and `..` do not match because a segment starts otherwise. */
const PLAIN_PATH = /^(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\/){0,32}[A-Za-z0-9_+-][A-Za-z0-9._+~-]*$/;
/** Components may stand in other folders: leading `../` is allowed there. */
const COMPONENT_PATH =
  /^(?:\.\.\/){0,8}(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\/){0,32}[A-Za-z0-9_+-][A-Za-z0-9._+~-]*\.recipe\.yaml$/;
/** Debian policy 5.6.1 and 5.6.12. */
const DEBIAN_NAME = /^[a-z0-9][a-z0-9+.-]{1,99}$/;
const DEBIAN_VERSION = /^[0-9][A-Za-z0-9.+~:-]{0,199}$/;

const nameText = text(/^[a-z0-9][a-z0-9.+-]{0,62}$/, "a name of lower-case letters, digits and . + -");
const fileName = text(FILE_NAME, "a file name");
const plainPath = text(PLAIN_PATH, "a relative path without . or .. segments");
const hexText = (digits: number): ReturnType<typeof text> =>
  text(new RegExp(`^[0-9a-f]{${digits}}$`), `${digits} lower-case hex digits`);
const listOf = <T>(item: v.GenericSchema<unknown, T>, most: number, least = 1) =>
  v.pipe(
    v.array(item, (issue) => `expected a list, found ${describe(issue.input)}`),
    v.minLength(least, `expected at least ${least} entry`),
    v.maxLength(most, `expected at most ${most} entries`),
  );
const mapOf = <T>(key: ReturnType<typeof text>, item: v.GenericSchema<unknown, T>) =>
  v.pipe(
    v.record(key, item, (issue) => `expected a mapping, found ${describe(issue.input)}`),
    v.minEntries(1, "expected at least 1 entry"),
    v.maxEntries(MAX_LIST, `expected at most ${MAX_LIST} entries`),
  );

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
    url: text(/^https?:\/\/[!-~]{1,2000}$/, "an http or https URL"),
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

const composingSchema = v.pipe(
  strictKeys({
    ...common,
    components: mapOf(nameText, text(COMPONENT_PATH, "a relative path of a *.recipe.yaml")),
    // Printable ASCII: what the kernel sees is what people read, and a line break would end it early.
    cmdline: v.optional(
      v.pipe(
        text(/^[\x20-\x7e]+$/, "one line of printable ASCII"),
        v.maxLength(MAX_CMDLINE, `expected at most ${MAX_CMDLINE} characters`),
      ),
    ),
    outputs: mapOf(
      fileName,
      strictKeys({ from: v.optional(text(/^[a-z0-9.+-]+\/[A-Za-z0-9._+~-]+$/, "component/output")), kind }),
    ),
  }),
  v.transform((written): ComposingRecipe => {
    const outputs = Object.entries(written.outputs).map(([name, output]) => {
      const [component = "", taken = ""] = output.from?.split("/") ?? [];
      const from = output.from === undefined ? ("cmdline" as const) : { component, output: taken };
      return [name, { from, kind: output.kind }] as const;
    });
    return { form: "composing", ...written, cmdline: written.cmdline, outputs: Object.fromEntries(outputs) };
  }),
);

/** A recipe in either form; the composing form is told by its key `components`. */
export const recipeSchema: v.GenericSchema<unknown, Recipe> = v.lazy((input: unknown) =>
  typeof input === "object" && input !== null && "components" in input ? composingSchema : buildingSchema,
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

const lastSegment = (path: string): string => path.split("/").findLast((segment) => segment !== "") ?? "";
const urlName = (url: string): string => lastSegment(url.replace(/[?#].*$/, ""));
