/**
 * Writing so that a power cut leaves the old file or the new one, never half of either: a temporary file under a
 * dot-name made with O_EXCL, fsync, rename or link, then fsync of the directory. A failed fsync is never retried,
 * because the kernel may have dropped the dirty pages already.
 * @module
 */
import { randomBytes } from "node:crypto";
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  type FileHandle,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf, system, systemError } from "./store-error.ts";

const TEMPORARY = ".tmp-";

/** Files that are written at the same time: the disk syncs them together, and each keeps a descriptor. */
const PARALLEL = 16;

/** A temporary file that is gone by age, not by process id: ids repeat across containers on one volume. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/** A fresh name for a temporary file in `directory`, which begins with `label`. */
export const temporaryPath = (directory: string, label = ""): string =>
  join(directory, `${TEMPORARY}${label}${process.pid}-${randomBytes(8).toString("hex")}`);

/** Removes the temporary files in `directory` that were named with `label`, whoever is writing them. */
export async function removeTemporaries(directory: string, label: string): Promise<void> {
  const names = await system("list", directory, readdir(directory));
  for (const name of names.filter((name) => name.startsWith(TEMPORARY + label)))
    await removeIfThere(join(directory, name));
}

/** Removes `path`; a file that is already gone is fine. */
export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return false;
    throw systemError("delete", path, cause);
  }
}

/** All bytes of the file at `path`, or undefined when there is none. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT" || errnoOf(cause) === "ENOTDIR") return undefined;
    throw systemError("read", path, cause);
  }
}

/** Makes the entries of `directory` durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await system("open", directory, open(directory, "r"));
  try {
    await handle.sync();
  } catch (cause) {
    // Some file systems (FUSE, network) answer EINVAL: they have no directory to sync.
    if (errnoOf(cause) !== "EINVAL") throw systemError("sync", directory, cause);
  } finally {
    await handle.close();
  }
}

/** Makes `directory` and its parents, each entry durable; false when it was there, durable or not. */
export async function makeDirectory(directory: string): Promise<boolean> {
  const parent = dirname(directory);
  let outcome = await makeEntry(directory);
  if (outcome === "parent missing") {
    await makeDirectory(parent);
    // Some file systems (/proc) answer "no such entry" though the parent is there: ask once more, not for ever.
    outcome = await makeEntry(directory);
    if (outcome === "parent missing")
      throw systemError(
        "make directory",
        directory,
        new Error("ENOENT: the file system of its parent takes no new entries"),
      );
  }
  return outcome === "made";
}

/** Makes `directory`; one that is there is made durable, because a writer may have been killed before it was. */
export async function makeDirectoryDurable(directory: string): Promise<void> {
  if (!(await makeDirectory(directory))) await syncDirectory(dirname(directory));
}

/** Makes one directory; says whether its parent is missing. */
async function makeEntry(directory: string): Promise<"made" | "there" | "parent missing"> {
  try {
    await mkdir(directory);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === "EEXIST") return "there";
    if (errno === "ENOENT" && dirname(directory) !== directory) return "parent missing";
    throw systemError("make directory", directory, cause);
  }
  await syncDirectory(dirname(directory));
  return "made";
}

/** Writes a temporary file through `fill` and syncs it; removes it again when anything fails. */
export async function writeTemporary(
  path: string,
  mode: number,
  fill: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await system("create", path, open(path, "wx", mode));
  try {
    try {
      await fill(handle);
      await system("sync", path, handle.sync());
    } finally {
      await system("close", path, handle.close());
    }
  } catch (cause) {
    await removeIfThere(path);
    throw cause;
  }
}

/** Writes a temporary file that holds `bytes` and syncs it. */
export async function writeTemporaryBytes(path: string, mode: number, bytes: Uint8Array): Promise<void> {
  await writeTemporary(path, mode, async (handle) => {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await system("write", path, handle.write(bytes, at, bytes.length - at, at));
      at += bytesWritten;
    }
  });
}

/** Writes all of `bytes`, naming `path` when it fails. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    const { bytesWritten } = await system("write", path, handle.write(bytes, offset));
    offset += bytesWritten;
  }
}

/** Moves a synced temporary file over `target`, replacing what is there, and makes the move durable. */
export async function publishByRename(temporary: string, target: string): Promise<void> {
  try {
    await system("rename to", target, rename(temporary, target));
  } catch (cause) {
    await removeIfThere(temporary);
    throw cause;
  }
  await syncDirectory(dirname(target));
}

/** As {@link linkAs}, and makes the name durable. */
export async function publishByLink(temporary: string, target: string): Promise<"created" | "exists"> {
  try {
    if ((await linkAs(temporary, target)) === "exists") return "exists";
  } finally {
    await removeIfThere(temporary);
  }
  await syncDirectory(dirname(target));
  return "created";
}

/** Gives a synced file one more name, `target`, unless that exists: link(2) is atomic and never replaces. */
export async function linkAs(file: string, target: string): Promise<"created" | "exists"> {
  try {
    await link(file, target);
    return "created";
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return "exists";
    throw systemError("link to", target, cause);
  }
}

/** Does `work` on each, several at a time; throws the first error once nothing is in flight any more. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const workers = Array.from({ length: Math.min(items.length, PARALLEL) }, async () => {
    for (const item of left) await work(item);
  });
  for (const outcome of await Promise.allSettled(workers))
    if (outcome.status === "rejected") throw outcome.reason;
}

/** Replaces the file at `path` by `bytes`, atomically and durably; makes its directory when absent. */
export async function writeFileAtomic(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  await replaceFile(path, (handle, temporary) => writeAll(handle, bytes, temporary), mode);
}

/**
 * Replaces the file at `path` by what `fill` writes, atomically and durably; makes its directory when absent. `fill` is
 * also told the path of the temporary file.
 */
export async function replaceFile(
  path: string,
  fill: (handle: FileHandle, temporary: string) => Promise<void>,
  mode = 0o644,
): Promise<void> {
  await makeDirectory(dirname(path));
  const temporary = temporaryPath(dirname(path));
  await writeTemporary(temporary, mode, (handle) => fill(handle, temporary));
  await publishByRename(temporary, path);
}

/** Removes temporary files in `directory` that nobody has written to for a day: their writers were killed. */
export async function removeStaleTemporaries(
  directory: string,
  olderThanMs: number = STALE_AFTER_MS,
): Promise<number> {
  const names = await system("list", directory, readdir(directory));
  let removed = 0;
  for (const name of names.filter((name) => name.startsWith(TEMPORARY))) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < olderThanMs) continue;
    if (await removeIfThere(path)) removed++;
  }
  return removed;
}
