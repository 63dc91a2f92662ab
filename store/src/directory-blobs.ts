/**
 * Immutable blobs named by their SHA-256, at `blobs/<first two digits>/<hex>` under a root. Nothing half-written ever
 * has a blob's name; every read is checked against the name; two processes may put, read and collect at once.
 * @module
 */
import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, link, open, readdir, rename, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatHex, sha256 as hashBytes, startHash } from "@bootproof/bytes";
import {
  makeDirectory,
  publishByRename,
  readIfThere,
  removeIfThere,
  removeStaleTemporaries,
  syncDirectory,
  temporaryPath,
  writeAll,
  writeTemporary,
} from "./durable.ts";
import { checkSha256 } from "./key.ts";
import { errnoOf, StoreError, system, systemError } from "./store-error.ts";

/** A stored blob: its name, lower-case hex, and its size in bytes. */
export interface Blob {
  readonly sha256: string;
  readonly size: number;
}

/** What the caller knows of a stream before it has been read. */
export interface ExpectedBlob {
  readonly sha256?: string;
  readonly size?: number;
  readonly maxSize?: number;
}

/** What {@link DirectoryBlobs.verify} found: how many blobs were hashed, and the files that are not what they say. */
export interface BlobVerification {
  readonly checked: number;
  readonly corrupt: string[];
}

const READ_ONLY = 0o444;
const ASIDE = ".aside-";
const CHUNK = 1024 * 1024;

/** Immutable blobs by SHA-256 on a directory. */
export class DirectoryBlobs {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens the blobs under `root`, making directories as needed and removing what killed writers left. */
  static async open(root: string): Promise<DirectoryBlobs> {
    const directory = join(root, "blobs");
    await makeDirectory(directory);
    await removeStaleTemporaries(directory);
    const blobs = new DirectoryBlobs(directory);
    await blobs.#giveBackAll();
    return blobs;
  }

  /** Where the blob named `sha256` lies, or would. */
  path(sha256: string): string {
    checkSha256(sha256);
    return join(this.#directory, sha256.slice(0, 2), sha256);
  }

  /** Stores `bytes`. */
  async put(bytes: Uint8Array): Promise<Blob> {
    const blob = { sha256: formatHex(hashBytes(bytes)), size: bytes.length };
    if (await this.#reuse(blob)) return blob;
    const temporary = temporaryPath(this.#directory);
    await writeTemporary(temporary, READ_ONLY, (handle) => writeAll(handle, bytes, temporary));
    return this.#publish(temporary, blob);
  }

  /** Stores a copy of the file at `path`; the copy is hashed, so a file that changes meanwhile does no harm. */
  async putFile(path: string): Promise<Blob> {
    const temporary = temporaryPath(this.#directory);
    try {
      const how = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;
      await system(`copy ${path} to`, temporary, copyFile(path, temporary, how));
      await system("change mode of", temporary, chmod(temporary, READ_ONLY));
      const blob = await hashFile(temporary);
      const handle = await system("open", temporary, open(temporary, "r"));
      await system("sync", temporary, handle.sync()).finally(() => handle.close());
      return await this.#publish(temporary, blob);
    } catch (cause) {
      await removeIfThere(temporary);
      throw cause;
    }
  }

  /** Stores what `source` yields; keeps nothing when it fails, is too large or is not what was expected. */
  async putStream(source: AsyncIterable<Uint8Array>, expected: ExpectedBlob = {}): Promise<Blob> {
    const temporary = temporaryPath(this.#directory);
    const hash = startHash("sha256");
    let size = 0;
    let sha256 = "";
    await writeTemporary(temporary, READ_ONLY, async (handle) => {
      for await (const chunk of source) {
        size += chunk.length;
        checkSize(size, expected);
        hash.update(chunk);
        await writeAll(handle, chunk, temporary);
      }
      sha256 = formatHex(hash.digest());
      checkExpected({ sha256, size }, expected);
    });
    return this.#publish(temporary, { sha256, size });
  }

  /** Whether a blob of that name is there; its bytes are not checked. */
  async has(sha256: string): Promise<boolean> {
    for (const path of this.#places(sha256))
      if ((await stat(path).catch(() => undefined))?.isFile()) return true;
    return false;
  }

  /** Whether a blob of that name is there; if so it is marked as just used, so that no collection by age removes it. */
  async touch(sha256: string): Promise<boolean> {
    for (const path of this.#places(sha256)) {
      const now = new Date();
      const touched = await utimes(path, now, now).then(
        () => true,
        (cause: unknown) => errnoOf(cause) === "EPERM" || errnoOf(cause) === "EROFS",
      );
      // Another user's blob cannot be marked, and is there all the same.
      if (touched && (await stat(path).catch(() => undefined))?.isFile() === true) return true;
    }
    return false;
  }

  /** The blob's bytes, checked against its name, or undefined when it is not there. */
  async get(sha256: string): Promise<Uint8Array | undefined> {
    for (const path of this.#places(sha256)) {
      const bytes = await readIfThere(path);
      if (bytes === undefined) continue;
      const found = formatHex(hashBytes(bytes));
      if (found !== sha256) throw corrupt(path, sha256, found);
      return bytes;
    }
    return undefined;
  }

  /** Every blob by name, in order. */
  async *list(): AsyncGenerator<Blob> {
    for (const prefix of (await system("list", this.#directory, readdir(this.#directory))).sort()) {
      if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
      const directory = join(this.#directory, prefix);
      for (const sha256 of (await system("list", directory, readdir(directory))).sort()) {
        if (!/^[0-9a-f]{64}$/.test(sha256)) continue;
        const found = await stat(join(directory, sha256)).catch(() => undefined);
        if (found?.isFile()) yield { sha256, size: found.size };
      }
    }
  }

  /** Deletes the blob of that name, if it is there. */
  async delete(sha256: string): Promise<void> {
    await removeIfThere(this.path(sha256));
  }

  /**
   * Deletes a blob nobody has put since `youngest` (milliseconds of the epoch) and says whether it did. The file is
   * moved aside before its time is read, so that a put that happens meanwhile is seen and the blob given back.
   */
  async deleteIfOlder(sha256: string, youngest: number): Promise<boolean> {
    const path = this.path(sha256);
    const before = await stat(path).catch(() => undefined);
    if (before === undefined || before.mtimeMs > youngest) return false;
    const aside = this.#aside(sha256);
    try {
      await rename(path, aside);
    } catch (cause) {
      if (errnoOf(cause) === "ENOENT") return false;
      throw systemError("move aside", path, cause);
    }
    const moved = await stat(aside).catch(() => undefined);
    if (moved !== undefined && moved.mtimeMs <= youngest) return removeIfThere(aside);
    await this.#giveBack(sha256);
    return false;
  }

  /** Removes what killed writers left more than `olderThanMs` ago. */
  removeStaleTemporaries(olderThanMs?: number): Promise<number> {
    return removeStaleTemporaries(this.#directory, olderThanMs);
  }

  /** Hashes every blob again and names the files that do not match, or cannot be read; changes nothing. */
  async verify(onProgress?: (blob: Blob, checked: number) => void): Promise<BlobVerification> {
    const bad: string[] = [];
    let checked = 0;
    for await (const blob of this.list()) {
      const path = this.path(blob.sha256);
      const found = await hashFile(path).catch(() => undefined);
      if (found?.sha256 !== blob.sha256) bad.push(path);
      checked++;
      onProgress?.(blob, checked);
    }
    return { checked, corrupt: bad };
  }

  /** Where a collector holds a blob while it decides. */
  #aside(sha256: string): string {
    return join(this.#directory, ASIDE + sha256);
  }

  /** Where to look for a blob, in this order: at any moment it is in one of them. */
  #places(sha256: string): string[] {
    const path = this.path(sha256);
    return [path, this.#aside(sha256), path];
  }

  async #giveBack(sha256: string): Promise<void> {
    const path = this.path(sha256);
    const aside = this.#aside(sha256);
    await link(aside, path).catch((cause: unknown) => {
      const errno = errnoOf(cause);
      if (errno !== "EEXIST" && errno !== "ENOENT") throw systemError("put back", path, cause);
    });
    await removeIfThere(aside);
  }

  /** Undoes what a collector that was killed while deciding has left. */
  async #giveBackAll(): Promise<void> {
    for (const name of await system("list", this.#directory, readdir(this.#directory)))
      if (name.startsWith(ASIDE)) await this.#giveBack(name.slice(ASIDE.length));
  }

  /** Takes a blob that is there already, and marks it as just used so that no collection removes it now. */
  async #reuse({ sha256, size }: Blob): Promise<boolean> {
    const path = this.path(sha256);
    try {
      const now = new Date();
      await utimes(path, now, now);
      const found = await stat(path);
      if (!found.isFile() || found.size !== size) return false;
    } catch {
      return false; // absent, or not ours to touch: a fresh copy is written, which reports what is wrong
    }
    // Its writer may have died between naming it and syncing the directory.
    await syncDirectory(dirname(path));
    return true;
  }

  async #publish(temporary: string, blob: Blob): Promise<Blob> {
    const target = this.path(blob.sha256);
    try {
      await makeDirectory(dirname(target));
    } catch (cause) {
      await removeIfThere(temporary);
      throw cause;
    }
    // Rename, not link: a fresh copy of the same bytes repairs a corrupt file and is young for the collector.
    await publishByRename(temporary, target);
    return blob;
  }
}

/** Name and size of a file's bytes, read piece by piece. */
async function hashFile(path: string): Promise<Blob> {
  const hash = startHash("sha256");
  let size = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (cause) {
    throw systemError("read", path, cause);
  }
  return { sha256: formatHex(hash.digest()), size };
}

function corrupt(file: string, expected: string, found: string): StoreError {
  return new StoreError("BP-STORE-004", `the stored blob ${file} is damaged`, {
    file,
    expected: `sha256 ${expected}`,
    found: `sha256 ${found}`,
    hint: "delete this file and run the command again; `bootproof store verify` checks all others",
  });
}

function checkSize(size: number, { size: exact, maxSize }: ExpectedBlob): void {
  const limit = exact ?? maxSize;
  if (limit === undefined || size <= limit) return;
  throw new StoreError(exact === undefined ? "BP-STORE-006" : "BP-STORE-005", "more bytes than expected", {
    expected: `${exact === undefined ? "at most " : ""}${limit} bytes`,
    found: `${size} or more`,
  });
}

function checkExpected(blob: Blob, expected: ExpectedBlob): void {
  if (expected.size !== undefined && blob.size !== expected.size)
    throw new StoreError("BP-STORE-005", "the size differs from the expected one", {
      expected: `${expected.size} bytes`,
      found: `${blob.size}`,
    });
  if (expected.sha256 !== undefined && blob.sha256 !== expected.sha256.toLowerCase())
    throw new StoreError("BP-STORE-005", "the bytes differ from the expected ones", {
      expected: `sha256 ${expected.sha256}`,
      found: `sha256 ${blob.sha256}`,
    });
}
