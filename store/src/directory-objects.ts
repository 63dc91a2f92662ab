/**
 * Named objects under a root, such as the public files of a log: immutable ones that are created once, and mutable
 * ones that are replaced atomically.
 * @module
 */
import { readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { equalBytes, firstDifference } from "@bootproof/bytes";
import {
  makeDirectoryDurable,
  makeDirectory,
  inParallel,
  linkAs,
  publishByRename,
  readIfThere,
  removeIfThere,
  removeStaleTemporaries,
  removeTemporaries,
  syncDirectory,
  temporaryPath,
  writeTemporaryBytes,
} from "./durable.ts";
import { checkKey } from "./key.ts";
import { errnoOf, StoreError, systemError } from "./store-error.ts";

const READ_ONLY = 0o444;
const READ_WRITE = 0o644;
/** Directories known to be durable that are remembered. */
const MAX_REMEMBERED = 4096;

/** What the names of files contain that wait to replace an object. */
const pendingName = (key: string): string => `${key.replaceAll("/", "+")}-`;

/** Objects by key, a relative path, on a directory. */
export class DirectoryObjects {
  readonly #root: string;
  readonly #durable = new Set<string>();

  private constructor(root: string) {
    this.#root = dirname(join(root, "key"));
  }

  /** Opens the objects under `root`, making it when absent and removing what killed writers left. */
  static async open(root: string): Promise<DirectoryObjects> {
    await makeDirectoryDurable(root);
    await removeStaleTemporaries(root);
    return new DirectoryObjects(root);
  }

  /** Creates an object; the same bytes again are fine, other bytes throw {@link StoreError}. */
  async putImmutable(key: string, bytes: Uint8Array): Promise<void> {
    await this.putImmutables([{ key, bytes }]);
  }

  /** Creates several objects, each as {@link putImmutable} does; their directories are synced once. */
  async putImmutables(
    objects: readonly { readonly key: string; readonly bytes: Uint8Array }[],
  ): Promise<void> {
    await inParallel(objects, ({ key, bytes }) => this.#create(key, bytes));
    // Also where an object was there: its writer may have died between naming it and syncing the directory.
    const directories = new Set(objects.map(({ key }) => dirname(this.#path(key))));
    await inParallel([...directories], syncDirectory);
  }

  /** Creates an object whose name is durable once its directory is synced. */
  async #create(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(key);
    const temporary = temporaryPath(this.#root);
    await writeTemporaryBytes(temporary, READ_ONLY, bytes);
    try {
      await this.#makeDirectoryOnce(dirname(path));
      if ((await this.#link(temporary, path)) === "created") return;
    } finally {
      await removeIfThere(temporary);
    }
    await this.#refuseOther(key, bytes);
  }

  async #link(file: string, path: string): Promise<"created" | "exists"> {
    try {
      return await linkAs(file, path);
    } catch (error) {
      if (!(error instanceof StoreError) || errnoOf(error.cause) !== "ENOENT") throw error;
      // The directory was removed since it was made: it held nothing.
      await makeDirectory(dirname(path));
      return linkAs(file, path);
    }
  }

  /**
   * Creates or replaces an object atomically. With `confirm`, what others wrote but have not yet put in place by then
   * never comes: it is called when the bytes are ready, throws to keep the old object, and from before that call on
   * every replacement with `confirm` that begins elsewhere makes this one fail. So of two writers the one whose
   * `confirm` no longer holds cannot undo the other's work, however late it wakes.
   */
  async putMutable(key: string, bytes: Uint8Array, confirm?: () => Promise<void>): Promise<void> {
    const path = this.#path(key);
    const folder = dirname(path);
    await (folder === this.#root ? this.#makeDirectoryOnce(folder) : this.#makeDirectory(folder));
    if (confirm !== undefined) await removeTemporaries(this.#root, pendingName(key));
    const temporary =
      confirm === undefined ? temporaryPath(this.#root) : temporaryPath(this.#root, pendingName(key));
    await writeTemporaryBytes(temporary, READ_WRITE, bytes);
    try {
      await confirm?.();
    } catch (error) {
      await removeIfThere(temporary);
      throw error;
    }
    await publishByRename(temporary, path);
  }

  /** The object's bytes, or undefined when there is none. */
  async get(key: string): Promise<Uint8Array | undefined> {
    return await readIfThere(this.#path(key));
  }

  /** Deletes the object, if it is there. */
  async delete(key: string): Promise<void> {
    await removeIfThere(this.#path(key));
  }

  /** Removes a folder that holds nothing; one that holds something, or is not there, is left alone. */
  async removeEmptyFolder(folder: string): Promise<void> {
    const path = this.#path(folder);
    try {
      await rmdir(path);
    } catch (cause) {
      const errno = errnoOf(cause) ?? "";
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(errno)) throw systemError("remove", path, cause);
    }
  }

  /** Keys that start with `prefix`, in order. */
  async list(prefix = ""): Promise<string[]> {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    if (folder !== "") checkKey(folder.slice(0, -1));
    const keys = await this.#walk(folder);
    return keys.filter((key) => key.startsWith(prefix)).sort();
  }

  async #walk(folder: string): Promise<string[]> {
    const directory = join(this.#root, folder);
    const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
      if (errnoOf(cause) === "ENOENT") return [];
      throw systemError("list", directory, cause);
    });
    const keys: string[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      if (entry.isFile()) keys.push(folder + entry.name);
      if (entry.isDirectory()) keys.push(...(await this.#walk(`${folder}${entry.name}/`)));
    }
    return keys;
  }

  /** Throws when the object is stored with other bytes. */
  async #refuseOther(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(key);
    const stored = (await this.get(key)) ?? new Uint8Array();
    if (!equalBytes(stored, bytes))
      throw new StoreError("BP-STORE-007", `${path} exists with other bytes and must never change`, {
        file: path,
        expected: `the ${stored.length} bytes stored`,
        found: `${bytes.length} bytes that differ at offset ${firstDifference(stored, bytes) ?? 0}`,
      });
  }

  async #makeDirectoryOnce(directory: string): Promise<void> {
    if (!this.#durable.has(directory)) await this.#makeDirectory(directory);
  }

  /** Makes a directory below the root, and sees once that it and those above it are durable. */
  async #makeDirectory(directory: string): Promise<void> {
    if (this.#durable.has(directory)) {
      await makeDirectory(directory);
      return;
    }
    if (directory !== this.#root) {
      await this.#makeDirectory(dirname(directory));
      await makeDirectoryDurable(directory);
    }
    if (this.#durable.size >= MAX_REMEMBERED) this.#durable.clear();
    this.#durable.add(directory);
  }

  #path(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }
}
