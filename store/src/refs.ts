/**
 * Small mutable names inside a store: what was built for an action, what a collection must keep.
 * @module
 */
import { join } from "node:path";
import { parseUtf8, utf8 } from "@bootproof/bytes";
import { DirectoryObjects } from "./directory-objects.ts";
import { StoreError } from "./store-error.ts";

/** A ref is a pointer: what is larger belongs in a blob. */
const MAX_REF = 64 * 1024;

/** Small text values under names that may change. */
export class Refs {
  readonly #objects: DirectoryObjects;

  private constructor(objects: DirectoryObjects) {
    this.#objects = objects;
  }

  /** Opens the references under `root`/refs. */
  static async open(root: string): Promise<Refs> {
    return new Refs(await DirectoryObjects.open(join(root, "refs")));
  }

  /** The text under `name`, or undefined. */
  async get(name: string): Promise<string | undefined> {
    const bytes = await this.#objects.get(name);
    return bytes === undefined ? undefined : parseUtf8(bytes, `ref ${name}`);
  }

  /** Sets or replaces the text under `name`, atomically. */
  async set(name: string, value: string): Promise<void> {
    const bytes = utf8(value);
    if (bytes.length > MAX_REF)
      throw new StoreError("BP-STORE-006", `the value of ref ${name} is too large`, {
        expected: `at most ${MAX_REF} bytes`,
        found: `${bytes.length}`,
        hint: "store it as a blob and let the ref name its digest",
      });
    await this.#objects.putMutable(name, bytes);
  }

  /** Forgets `name`. */
  delete(name: string): Promise<void> {
    return this.#objects.delete(name);
  }

  /** Names that start with `prefix`, in order. */
  list(prefix = ""): Promise<string[]> {
    return this.#objects.list(prefix);
  }
}
