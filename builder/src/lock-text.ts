/**
 * The lock's one spelling: YAML with a line for each package and source, sorted, so that two locks
 * can be compared by eye. `formatLock(parseLock(text)) === text` for every lock that is accepted.
 * @module
 */
import { utf8 } from "@bootproof/bytes";
import { BuildError } from "./build-error.ts";
import type { BuildingLock, ComposingLock, Lock, LockedRelease, LockedSource, SourceOrigin } from "./lock.ts";
import { lockSchema } from "./lock-schema.ts";
import { readYamlAs } from "./yaml-schema.ts";

/** Largest lock that is read, in bytes; a closure of 20,000 packages fits. */
export const MAX_LOCK_SIZE = 4_194_304;

/** The first line of every version 1 lock's data. */
export const LOCK_FORMAT = "bootproof/lock/1";

const HEADER = "# Written by `bootproof lock`: every input of the recipe beside this file, pinned by hash.";
const PACKAGES_LEGEND = "# package version architecture size sha256 path";
const SOURCES_LEGEND = "# file size sha256 origin";
const PARTS_LEGEND = "# sha256 size origin";
const COMPONENTS_LEGEND = "# component sha256-of-its-lock recipe";

/** Parses a lock; `file` names it in errors. Throws {@link BuildError} BP-LOCK-001 or BP-LOCK-002. */
export function parseLock(text: string, file: string): Lock {
  const size = utf8(text).length;
  if (size > MAX_LOCK_SIZE)
    throw new BuildError("BP-LOCK-001", `${file}: the lock is too large`, {
      file,
      expected: `at most ${MAX_LOCK_SIZE} bytes`,
      found: `${size} bytes`,
    });
  const reading = readYamlAs(lockSchema, text, file);
  if (!reading.ok)
    throw new BuildError("BP-LOCK-001", reading.issues.join("\n"), { file, issues: reading.issues });
  const canonical = formatLock(reading.value);
  if (canonical !== text) throw notCanonical(canonical, text, file);
  return reading.value;
}

function notCanonical(canonical: string, text: string, file: string): BuildError {
  const expected = canonical.split("\n");
  const found = text.split("\n");
  const index = expected.findIndex((line, at) => line !== found[at]);
  const line = index === -1 ? expected.length : index;
  return new BuildError("BP-LOCK-002", `${file}:${line + 1}:1: the lock is not in its canonical spelling`, {
    file,
    expected: expected[line] ?? "the end of the file",
    found: found[line] ?? "the end of the file",
    hint: "a lock is not edited by hand; write it again with `bootproof lock`",
  });
}

/** Prints a lock in its one spelling. */
export function formatLock(lock: Lock): string {
  const lines = lock.form === "building" ? buildingLines(lock) : composingLines(lock);
  return `${[HEADER, `format: ${LOCK_FORMAT}`, ...lines].join("\n")}\n`;
}

function* buildingLines({ request, releases, packages, sources }: BuildingLock): Generator<string> {
  yield "request:";
  yield `  suite: ${request.suite}`;
  yield* list("  packages:", [...request.packages].sort(byText));
  yield* list("  sources:", [...request.sources].sort(byText));
  yield "releases:";
  for (const release of [...releases].sort((a, b) => byText(a.suite, b.suite))) yield* releaseLines(release);
  yield PACKAGES_LEGEND;
  yield* list(
    "packages:",
    [...packages]
      .sort((a, b) => byText(a.name, b.name))
      .map(
        ({ name, version, arch, size, sha256, path }) =>
          `${name} ${version} ${arch} ${size} ${sha256} ${path}`,
      ),
  );
  yield SOURCES_LEGEND;
  yield* list("sources:", [...sources].sort((a, b) => byText(a.name, b.name)).map(formatSource));
}

function* releaseLines({ suite, date, validUntil, expired, signedBy }: LockedRelease): Generator<string> {
  yield `  - suite: ${suite}`;
  yield `    date: ${date}`;
  if (validUntil !== undefined) yield `    validUntil: ${validUntil}`;
  yield `    expired: ${expired}`;
  // Quoted: a fingerprint of digits and one E would be read as a number.
  yield* list(
    "    signedBy:",
    [...signedBy].sort(byText).map((fingerprint) => `"${fingerprint}"`),
  );
}

const formatSource = ({ name, size, sha256, origin }: LockedSource): string =>
  `${name} ${size} ${sha256} ${formatOrigin(origin)}`;

function formatOrigin(origin: SourceOrigin): string {
  switch (origin.kind) {
    case "pool":
    case "file":
    case "folder":
    case "layout":
      return `${origin.kind} ${origin.path}`;
    case "url":
      return `url ${origin.url}`;
    case "git":
      return `git ${origin.commit} ${origin.url}`;
  }
}

function* composingLines({ components, sources }: ComposingLock): Generator<string> {
  yield COMPONENTS_LEGEND;
  const sorted = [...components].sort((a, b) => byText(a.name, b.name));
  yield* list(
    "components:",
    sorted.map(({ name, lock, recipe }) => `${name} ${lock} ${recipe}`),
  );
  if (sources.length === 0) return;
  yield PARTS_LEGEND;
  yield* list(
    "sources:",
    [...sources]
      .sort((a, b) => byText(a.name, b.name))
      .map(({ sha256, size, origin }) => `${sha256} ${size} ${formatOrigin(origin)}`),
  );
}

function* list(key: string, items: readonly string[]): Generator<string> {
  const indent = " ".repeat(key.length - key.trimStart().length + 2);
  yield items.length === 0 ? `${key} []` : key;
  for (const item of items) yield `${indent}- ${item}`;
}

/** By UTF-16 code units: the same order in every locale. */
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
