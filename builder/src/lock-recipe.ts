/**
 * Makes locks: resolves a recipe's toolchain and sources to files known by hash; for a composing
 * recipe, its components' locks first.
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { BuildError } from "./build-error.ts";
import { resolveClosure } from "./closure.ts";
import { DebianArchive } from "./debian-archive.ts";
import { lockParts } from "./enclave/lock-parts.ts";
import { fetchBlob, openInputStore, type InputStore } from "./fetch-blob.ts";
import { fetchGitCommit } from "./git-source.ts";
import type { BuildingLock, Lock, LockedComponent, LockedPackage, LockedSource } from "./lock.ts";
import { requestOf } from "./lock-request.ts";
import { formatLock } from "./lock-text.ts";
import { findLocalSource } from "./local-source.ts";
import { componentPaths, refuseCycle } from "./locked-recipe.ts";
import { findMirrors, type Mirror, type MirrorOptions } from "./mirrors.ts";
import type { BuildingRecipe, DebianSource, DebianSuite, RecipeSource } from "./recipe.ts";
import { loadRecipe, lockPathOf, type LoadedRecipe } from "./recipe-files.ts";
import { readArchiveKeys } from "./release-signature.ts";

/** How a lock is made. */
export interface LockOptions extends MirrorOptions {
  /** Root of the store; indexes and `url:` and `git:` sources are kept there. */
  readonly store: string;
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The time at which signatures and dates must hold; now, unless a test says otherwise. */
  readonly at?: Date | undefined;
  /** Armored keys instead of the Debian archive's, for an archive of one's own. */
  readonly keys?: readonly string[] | undefined;
  /** Called as each recipe and suite is begun. */
  readonly onProgress?: ((what: string) => void) | undefined;
}

/** A lock that was made, not yet written. */
export interface NewLock {
  readonly recipe: string;
  readonly path: string;
  readonly lock: Lock;
  readonly sha256: string;
  /** What a person should know, e.g. that the mirror's metadata has expired. */
  readonly warnings: readonly string[];
}

/**
 * Unpacked into every input root: steps run in bash, in the locale C.UTF-8 (libc-bin), under a clock that libfaketime
 * holds.
 */
export const IMPLIED_PACKAGES: readonly string[] = ["bash", "libc-bin", "libfaketime"];

/**
 * Makes the lock of a recipe and, before it, those of its components; the recipe's own is the last.
 * Nothing is written. Throws {@link BuildError} BP-RECIPE, BP-RESOLVE or BP-INPUT.
 */
export async function lockRecipe(recipePath: string, options: LockOptions): Promise<readonly NewLock[]> {
  const mirrors = await findMirrors(options);
  const store = await openInputStore(options.store);
  const { offline, signal } = options;
  const archive = new DebianArchive({
    store,
    mirrors,
    offline,
    signal,
    keys: options.keys ?? (await readArchiveKeys()),
    at: options.at ?? new Date(),
  });
  const made = new Map<string, NewLock>();
  await lockInto(made, recipePath, [], { archive, store, mirrors, options });
  return [...made.values()];
}

interface Locking {
  readonly archive: DebianArchive;
  readonly store: InputStore;
  readonly mirrors: readonly Mirror[];
  readonly options: LockOptions;
}

async function lockInto(
  made: Map<string, NewLock>,
  recipePath: string,
  above: readonly string[],
  locking: Locking,
): Promise<NewLock> {
  const loaded = await loadRecipe(recipePath);
  refuseCycle(loaded.path, above);
  const known = made.get(loaded.path);
  if (known !== undefined) return known;
  const { recipe } = loaded;
  locking.options.onProgress?.(`recipe ${recipe.name}`);
  let lock: Lock;
  if (recipe.form === "building") lock = await lockBuilding(recipe, dirname(loaded.path), locking);
  else {
    // Before the components: what is wrong beside the recipe shows at once, and not after their closures.
    const { store, mirrors, options } = locking;
    const sources = await lockParts(recipe, { ...options, store, mirrors, folder: dirname(loaded.path) });
    const components: LockedComponent[] = [];
    for (const [name, path] of componentPaths({ ...loaded, recipe })) {
      const component = await lockInto(made, path, [...above, loaded.path], locking);
      components.push({ name, recipe: recipe.components[name] ?? path, lock: component.sha256 });
    }
    lock = { form: "composing", components, sources };
  }
  const result = newLock(loaded, lock);
  made.set(loaded.path, result);
  return result;
}

function newLock(loaded: LoadedRecipe, lock: Lock): NewLock {
  const warnings =
    lock.form === "building"
      ? lock.releases
          .filter(({ expired }) => expired)
          .map(
            ({ suite, validUntil }) =>
              `the Release of ${suite} was valid until ${validUntil ?? "never"}: the mirror is old`,
          )
      : [];
  return {
    recipe: loaded.path,
    path: lockPathOf(loaded.path),
    lock,
    sha256: formatHex(sha256(utf8(formatLock(lock)))),
    warnings,
  };
}

async function lockBuilding(recipe: BuildingRecipe, folder: string, locking: Locking): Promise<BuildingLock> {
  const { archive, options } = locking;
  const { suite } = recipe.toolchain;
  options.onProgress?.(`packages of ${suite}`);
  const index = await archive.packages(suite);
  const packages = resolveClosure(index, [...recipe.toolchain.packages, ...IMPLIED_PACKAGES]).map(asLocked);
  const sources: LockedSource[] = [];
  for (const source of recipe.source)
    if (source.kind !== "debian") sources.push(await lockSource(source, folder, locking));
  sources.push(...(await lockDebianSources(recipe, archive)));
  refuseRepeatedNames(recipe, sources);
  const suites = new Set<DebianSuite>([suite, ...debianSources(recipe).map((source) => source.suite)]);
  const releases = await Promise.all([...suites].sort().map((name) => archive.release(name)));
  return {
    form: "building",
    request: requestOf(recipe),
    releases,
    packages,
    sources: sources.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

const asLocked = ({ name, version, arch, size, sha256: digest, path }: LockedPackage): LockedPackage => ({
  name,
  version,
  arch,
  size,
  sha256: digest,
  path,
});

const debianSources = (recipe: BuildingRecipe): DebianSource[] =>
  recipe.source.filter((source) => source.kind === "debian");

async function lockDebianSources(recipe: BuildingRecipe, archive: DebianArchive): Promise<LockedSource[]> {
  const bySuite = Map.groupBy(debianSources(recipe), (source) => source.suite);
  const found: LockedSource[] = [];
  for (const [suite, requests] of bySuite) found.push(...(await archive.sources(suite, requests)));
  return found;
}

async function lockSource(
  source: Exclude<RecipeSource, DebianSource>,
  folder: string,
  { store, mirrors, options }: Locking,
): Promise<LockedSource> {
  const { offline, signal } = options;
  switch (source.kind) {
    case "file":
      return lockFile(source.path, source.name, folder);
    case "url": {
      options.onProgress?.(source.name);
      await fetchBlob(
        store,
        { name: source.name, url: source.url, sha256: source.sha256, size: undefined },
        mirrors,
        { offline, signal },
      );
      const { size } = await stat(store.blobs.path(source.sha256));
      return { name: source.name, size, sha256: source.sha256, origin: { kind: "url", url: source.url } };
    }
    case "git": {
      if (offline === true)
        throw new BuildError(
          "BP-INPUT-003",
          `${source.name}: a git source cannot be locked without the network`,
          {
            hint: "lock without --offline",
          },
        );
      options.onProgress?.(source.name);
      const blob = await fetchGitCommit(store, source, signal);
      return { name: source.name, ...blob, origin: { kind: "git", url: source.url, commit: source.commit } };
    }
  }
}

async function lockFile(path: string, name: string, folder: string): Promise<LockedSource> {
  const file = await findLocalSource(folder, path);
  if (file === undefined)
    throw new BuildError(
      "BP-RECIPE-006",
      `${join(folder, path)}: the recipe names it as a source, and it is not there`,
      {
        file: join(folder, path),
      },
    );
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new BuildError("BP-RECIPE-006", `${file}: the recipe names it as a source, and it cannot be read`, {
      file,
      cause,
    });
  });
  return { name, size: bytes.length, sha256: formatHex(sha256(bytes)), origin: { kind: "file", path } };
}

function refuseRepeatedNames(recipe: BuildingRecipe, sources: readonly LockedSource[]): void {
  const names = new Set<string>();
  for (const { name } of sources) {
    if (names.has(name))
      throw new BuildError(
        "BP-RECIPE-002",
        `recipe ${recipe.name}: two sources have the file name ${name} in /source`,
        {
          hint: "give one of them another with `name`",
        },
      );
    names.add(name);
  }
}
