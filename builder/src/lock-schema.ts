/**
 * The lock's schema: from YAML values to {@link Lock}, strictly; a line for each package and source.
 * @module
 */
import * as v from "valibot";
import type {
  Lock,
  LockedComponent,
  LockedPackage,
  LockedRelease,
  LockedSource,
  SourceOrigin,
} from "./lock.ts";
import { DEBIAN_SUITES } from "./recipe.ts";
import { describe, strictKeys, text, word } from "./yaml-schema.ts";

// Far above any real closure or source; what a hostile lock may make us allocate or download.
const MAX_ENTRIES = 20_000;
const MAX_INPUT_SIZE = 16 * 2 ** 30;

const NAME = "[a-z0-9][a-z0-9+.-]{1,99}";
const VERSION = "[0-9][A-Za-z0-9.+~:-]{0,199}";
const FILE = "[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}";
const SEGMENTS = "(?:[A-Za-z0-9_+-][A-Za-z0-9._+~-]{0,199}/){0,32}[A-Za-z0-9_+-][A-Za-z0-9._+~-]{0,199}";
const SIZE = "0|[1-9][0-9]{0,11}";
const SHA256 = "[0-9a-f]{64}";
const URL = "(?:https?|ssh|file)://[!-~]{1,2000}";

const PACKAGE = new RegExp(`^(${NAME}) (${VERSION}) (amd64|all) (${SIZE}) (${SHA256}) (pool/${SEGMENTS})$`);
const SOURCE = new RegExp(
  `^(${FILE}) (${SIZE}) (${SHA256}) (?:pool (pool/${SEGMENTS})|file (${SEGMENTS})|url (${URL})|git ([0-9a-f]{40}) (${URL}))$`,
);
const COMPONENT = new RegExp(
  `^([a-z0-9][a-z0-9.+-]{0,62}) (${SHA256}) ((?:\\.\\./){0,8}${SEGMENTS}\\.recipe\\.yaml)$`,
);
const PART = new RegExp(
  `^(${SHA256}) (${SIZE}) (?:(file|folder|layout) (${SEGMENTS})|(url) (https?://[!-~]{1,2000}))$`,
);
const REQUEST_SOURCE = new RegExp(
  `^(?:debian ${NAME} ${VERSION} (?:${DEBIAN_SUITES.join("|")})|file ${SEGMENTS}|url ${FILE} ${SHA256} ${URL}|git ${FILE} [0-9a-f]{40} ${URL})$`,
);
const DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC$/;

const listOf = <T>(item: v.GenericSchema<unknown, T>) =>
  v.pipe(
    v.array(item, (issue) => `expected a list, found ${describe(issue.input)}`),
    v.maxLength(MAX_ENTRIES, `expected at most ${MAX_ENTRIES} entries`),
  );

/** A list of lines with a name each, no name twice. */
const named = <T extends { readonly name: string }>(item: v.GenericSchema<unknown, T>) =>
  v.pipe(
    listOf(item),
    v.check(
      (items) => new Set(items.map(({ name }) => name)).size === items.length,
      "a name appears twice in this list",
    ),
  );

const inputSize = <T extends { readonly size: number }>() =>
  v.check<T, string>(
    ({ size }) => size <= MAX_INPUT_SIZE,
    `expected a size of at most ${MAX_INPUT_SIZE} bytes`,
  );

const packageLine = v.pipe(
  text(PACKAGE, "a line `package version architecture size sha256 path`"),
  v.transform(readPackage),
  inputSize<LockedPackage>(),
);
const sourceLine = v.pipe(
  text(SOURCE, "a line `file size sha256 origin`"),
  v.transform(readSource),
  inputSize<LockedSource>(),
);
const componentLine = v.pipe(
  text(COMPONENT, "a line `component sha256 recipe`"),
  v.transform((line): LockedComponent => {
    const [name = "", lock = "", recipe = ""] = COMPONENT.exec(line)?.slice(1) ?? [];
    return { name, lock, recipe };
  }),
);

const partLine = v.pipe(
  text(PART, "a line `sha256 size origin`"),
  v.transform(readPart),
  inputSize<LockedSource>(),
);

const date = text(DATE, "a date as Release writes it");
const releaseSchema = v.pipe(
  strictKeys({
    suite: word(DEBIAN_SUITES),
    date,
    validUntil: v.optional(date),
    expired: v.boolean((issue) => `expected true or false, found ${describe(issue.input)}`),
    signedBy: listOf(text(/^[0-9A-F]{40}$/, "a fingerprint of 40 upper-case hex digits")),
  }),
  v.transform((release): LockedRelease => ({ ...release, validUntil: release.validUntil })),
);

const format = word(["bootproof/lock/1"]);

const buildingSchema = v.pipe(
  strictKeys({
    format,
    request: strictKeys({
      suite: word(DEBIAN_SUITES),
      packages: listOf(text(new RegExp(`^${NAME}$`), "a package's name")),
      sources: listOf(text(REQUEST_SOURCE, "a source as the recipe asks for it")),
    }),
    releases: listOf(releaseSchema),
    packages: named(packageLine),
    sources: named(sourceLine),
  }),
  v.transform(({ request, releases, packages, sources }): Lock => ({
    form: "building",
    request,
    releases,
    packages,
    sources,
  })),
);

const composingSchema = v.pipe(
  strictKeys({ format, components: named(componentLine), sources: v.optional(named(partLine), []) }),
  v.transform(({ components, sources }): Lock => ({ form: "composing", components, sources })),
);

/** A lock in either form; the composing form is told by its key `components`. */
export const lockSchema: v.GenericSchema<unknown, Lock> = v.lazy((input: unknown) =>
  typeof input === "object" && input !== null && "components" in input ? composingSchema : buildingSchema,
);

function readPackage(line: string): LockedPackage {
  const [name = "", version = "", arch = "", size = "", sha256 = "", path = ""] =
    PACKAGE.exec(line)?.slice(1) ?? [];
  return { name, version, arch: arch === "all" ? "all" : "amd64", size: Number(size), sha256, path };
}

function readSource(line: string): LockedSource {
  const [name = "", size = "", sha256 = "", ...origin] = SOURCE.exec(line)?.slice(1) ?? [];
  return { name, size: Number(size), sha256, origin: readOrigin(origin) };
}

function readOrigin([pool, file, url, commit = "", git = ""]: readonly (string | undefined)[]): SourceOrigin {
  if (pool !== undefined) return { kind: "pool", path: pool };
  if (file !== undefined) return { kind: "file", path: file };
  if (url !== undefined) return { kind: "url", url };
  return { kind: "git", url: git, commit };
}

function readPart(line: string): LockedSource {
  const [sha256 = "", size = "", kind = "url", path = "", , url = ""] = PART.exec(line)?.slice(1) ?? [];
  const pinned = { size: Number(size), sha256 };
  return kind === "file" || kind === "folder" || kind === "layout"
    ? { name: path, ...pinned, origin: { kind, path } }
    : { name: url, ...pinned, origin: { kind: "url", url } };
}
