/**
 * The compare-and-swap head: the one place where a fork of a log could start. Generation g is the file
 * `<g, 20 digits>`, created by link(2), which is atomic and fails when the name exists, on NFS too; it needs no lock.
 * The lock beside it only tells a second writer early that it came second. Old generations are removed below a floor
 * that is recorded first, so that a writer who slept through many commits finds the floor and not a free name.
 * @module
 */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  makeDirectoryDurable,
  publishByLink,
  readIfThere,
  removeIfThere,
  removeStaleTemporaries,
  syncDirectory,
  temporaryPath,
  writeTemporaryBytes,
} from "./durable.ts";
import { FileLock } from "./file-lock.ts";
import { StoreError, system } from "./store-error.ts";

/** How many generations stay, for whoever wants to see what happened and for a winner whose disk stalls meanwhile. */
const KEEP = 64;
const DIGITS = 20;
const READ_ONLY = 0o444;
const LOCK = "lock";

/** One committed generation, counted from 1. */
export interface Head {
  readonly generation: number;
  readonly bytes: Uint8Array;
}

const fileName = (generation: number): string => String(generation).padStart(DIGITS, "0");

/** A value on a directory that only moves from the generation its writer has seen. */
export class DirectoryHead {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens the head in `directory`, making it when absent and removing what killed writers left. */
  static async open(directory: string): Promise<DirectoryHead> {
    await makeDirectoryDurable(directory);
    await removeStaleTemporaries(directory);
    return new DirectoryHead(directory);
  }

  /** Takes the lock that one writer at a time holds; undefined when another does. */
  async lock(): Promise<FileLock | undefined> {
    return FileLock.take(join(this.#directory, LOCK));
  }

  /** The newest generation, durable, or undefined when nothing was committed yet. */
  async read(): Promise<Head | undefined> {
    // Its writer may have been killed between naming it and syncing the directory.
    await syncDirectory(this.#directory);
    for (;;) {
      const { newest } = await this.#survey();
      if (newest === 0) return undefined;
      const bytes = await readIfThere(join(this.#directory, fileName(newest)));
      // Absent when others committed so often since the survey that this one was pruned: look again.
      if (bytes !== undefined) return { generation: newest, bytes };
    }
  }

  /** The newest generation, durable or not; 0 when nothing was committed yet. */
  async generation(): Promise<number> {
    return (await this.#survey()).newest;
  }

  /**
   * Commits `bytes` as generation `expected` + 1 (`expected` is 0 when there is none yet). "conflict" means that
   * somebody else committed: read again and decide anew.
   */
  async compareAndSwap(expected: number, bytes: Uint8Array): Promise<"committed" | "conflict"> {
    if (!Number.isSafeInteger(expected) || expected < 0)
      throw new StoreError("BP-STORE-008", `not a generation: ${expected}`);
    if ((await this.#survey()).newest !== expected) return "conflict";
    const next = expected + 1;
    const temporary = temporaryPath(this.#directory);
    await writeTemporaryBytes(temporary, READ_ONLY, bytes);
    if ((await publishByLink(temporary, join(this.#directory, fileName(next)))) === "exists")
      return "conflict";
    // A name below the floor was free only because its generation is long gone; read() never looks there.
    if ((await this.#survey()).floor > next) return "conflict";
    if (next % KEEP === 0) await this.#prune(next - KEEP);
    return "committed";
  }

  async #survey(): Promise<{ newest: number; floor: number; generations: number[] }> {
    const names = await system("list", this.#directory, readdir(this.#directory));
    const numbers = (pattern: RegExp): number[] =>
      names.flatMap((name) => {
        const digits = pattern.exec(name)?.[1];
        return digits === undefined ? [] : [Number(digits)];
      });
    const generations = numbers(/^([0-9]{20})$/);
    return {
      generations,
      newest: generations.reduce((a, b) => Math.max(a, b), 0),
      floor: numbers(/^floor-([0-9]{20})$/).reduce((a, b) => Math.max(a, b), 0),
    };
  }

  async #prune(floor: number): Promise<void> {
    if (floor <= 0) return;
    const mark = join(this.#directory, `floor-${fileName(floor)}`);
    const handle = await system("create", mark, open(mark, "w", READ_ONLY));
    await handle.close();
    await syncDirectory(this.#directory);
    const { generations } = await this.#survey();
    for (const old of generations.filter((generation) => generation < floor))
      await removeIfThere(join(this.#directory, fileName(old)));
    for (let older = floor - KEEP; older > 0; older -= KEEP)
      if (!(await removeIfThere(join(this.#directory, `floor-${fileName(older)}`)))) break;
  }
}
