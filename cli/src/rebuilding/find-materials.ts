/**
 * Finds recipes, locks and other materials by sha256: in the store, where the user says, beside the bundle, and
 * among the recipes below the current folder. Where a file was found means nothing; its hash does.
 * @module
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { formatHex, sha256 } from "@bootproof/bytes";

import type { Context } from "../frame/context.ts";
import { fetchBytes } from "../places/http-fetch.ts";
import type { OpenStore } from "../places/store-place.ts";

// Recipes, locks and files beside them are small; larger inputs go through the builder.
const MAX_MATERIAL = 16 * 1024 * 1024;
const MAX_LOCAL = 1024 * 1024;
const MAX_DEPTH = 6;
// Somebody may stand in / or in a home full of other things.
const MAX_FOLDERS = 5000;
const LOCK_END = ".lock.yaml";

/** Where to look, besides the store. */
export interface MaterialPlaces {
  /** `--from`: folders or URLs. */
  readonly from: readonly string[];
  /** The folder that the bundle lies in. */
  readonly bundleFolder: string;
}

/** Finds files by hash. */
export class MaterialFinder {
  readonly #context: Context;
  readonly #store: OpenStore;
  readonly #places: MaterialPlaces;
  #local: Promise<ReadonlyMap<string, string>> | undefined;

  constructor(context: Context, store: OpenStore, places: MaterialPlaces) {
    this.#context = context;
    this.#store = store;
    this.#places = places;
  }

  /** The bytes with this hash, or undefined when they are nowhere; kept in the store from then on. */
  async find(digest: string): Promise<Uint8Array | undefined> {
    const known = await this.#store.blobs.get(digest).catch(() => undefined);
    if (known !== undefined) return known;
    const found = await this.#look(digest);
    if (found !== undefined) await this.#store.blobs.put(found);
    return found;
  }

  /**
   * The recipe beside a local lock with this hash. Nothing pins its bytes here: that it is the right one shows when
   * its action is the one that was published.
   */
  async findRecipeOfLock(lockDigest: string): Promise<Uint8Array | undefined> {
    this.#local ??= hashLocalFiles(this.#context.cwd);
    const lock = (await this.#local).get(lockDigest);
    if (lock?.endsWith(LOCK_END) !== true) return undefined;
    const recipe = `${lock.slice(0, -LOCK_END.length)}.recipe.yaml`;
    return readFile(recipe).then(
      (bytes) => new Uint8Array(bytes),
      () => undefined,
    );
  }

  /** Everywhere that is asked, in order, for saying where something was not found. */
  describePlaces(): string {
    return [
      "the store",
      ...this.#places.from,
      join(this.#places.bundleFolder, "materials"),
      `recipes below ${this.#context.cwd}`,
    ].join(", ");
  }

  async #look(digest: string): Promise<Uint8Array | undefined> {
    for (const place of this.#places.from)
      for (const path of [`sha256/${digest}`, digest, `materials/sha256/${digest}`]) {
        const bytes = /^https?:\/\//.test(place)
          ? await this.#fetch(`${place.replace(/\/+$/, "")}/${path}`, digest)
          : await readMatching(join(place, path), digest);
        if (bytes !== undefined) return bytes;
      }
    const beside = await readMatching(join(this.#places.bundleFolder, "materials", "sha256", digest), digest);
    if (beside !== undefined) return beside;
    this.#local ??= hashLocalFiles(this.#context.cwd);
    const local = (await this.#local).get(digest);
    return local === undefined ? undefined : readMatching(local, digest);
  }

  async #fetch(url: string, digest: string): Promise<Uint8Array | undefined> {
    const { options, signal, env } = this.#context;
    if (options.offline) return undefined;
    try {
      const bytes = await fetchBytes({ url, limit: MAX_MATERIAL, attempts: 2, env, signal });
      return bytes !== undefined && matches(bytes, digest) ? bytes : undefined;
    } catch {
      // One place that cannot be reached is no reason to stop: the next may have it.
      return undefined;
    }
  }
}

async function readMatching(path: string, digest: string): Promise<Uint8Array | undefined> {
  try {
    if ((await stat(path)).size > MAX_MATERIAL) return undefined;
    const bytes = new Uint8Array(await readFile(path));
    return matches(bytes, digest) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function matches(bytes: Uint8Array, digest: string): boolean {
  return formatHex(sha256(bytes)) === digest;
}

/** Hashes the small files of every folder below that holds a recipe: path by sha256. */
async function hashLocalFiles(top: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const folders = [{ folder: top, depth: 0 }];
  for (const { folder, depth } of folders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    if (files.some((name) => name.endsWith(".recipe.yaml")))
      for (const name of files) await hashInto(found, join(folder, name));
    if (depth >= MAX_DEPTH) continue;
    for (const entry of entries)
      if (
        entry.isDirectory() &&
        !entry.name.startsWith(".") &&
        entry.name !== "node_modules" &&
        folders.length < MAX_FOLDERS
      )
        folders.push({ folder: join(folder, entry.name), depth: depth + 1 });
  }
  return found;
}

async function hashInto(found: Map<string, string>, path: string): Promise<void> {
  try {
    if ((await stat(path)).size > MAX_LOCAL) return;
    found.set(formatHex(sha256(new Uint8Array(await readFile(path)))), path);
  } catch {
    // A file that may not be read is not the one; the next may be.
  }
}
