/**
 * Unpacks every package of a lock into one directory, several at once on threads, and joins what they hold into one
 * tree. The result does not depend on the order: two packages may share directories and identical files, and any
 * other overlap is refused, as dpkg does.
 * @module
 */
import { linkSync, mkdirSync, symlinkSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { BuildError, damagedInStore, goneFromStore, type BuildErrorCode } from "./build-error.ts";
import { parentOf, type Tree, type TreeEntry } from "./tree.ts";
import type { PackageEntry, UnpackedPackage } from "./unpack-package.ts";
import type { UnpackAnswer, UnpackOrder } from "./unpack-worker.ts";

/** A package file to unpack. */
export interface PackageFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** What the caller may set about unpacking. */
export interface UnpackOptions {
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onUnpacked?: (name: string, done: number, total: number) => void;
}

/**
 * Unpacks `packages` into the empty directory `directory`; links are made last.
 * Throws {@link BuildError} BP-ARCHIVE-001 to 009.
 */
export async function unpackAll(
  packages: readonly PackageFile[],
  directory: string,
  options: UnpackOptions = {},
): Promise<Tree> {
  const unpacked = await unpackOnThreads(packages, directory, options);
  const tree = joinPackages(packages.map(({ name }, index) => ({ name, unpacked: unpacked[index] })));
  makeLinks(tree.entries, tree.hardlinks, directory);
  return tree.entries;
}

async function unpackOnThreads(
  packages: readonly PackageFile[],
  directory: string,
  { threads = availableParallelism(), signal, onUnpacked }: UnpackOptions,
): Promise<UnpackedPackage[]> {
  const results: UnpackedPackage[] = [];
  // Largest first: the compiler takes seconds, and must not start last.
  const queue = [...packages.entries()].sort(([, a], [, b]) => b.size - a.size);
  let done = 0;
  const work = async (): Promise<void> => {
    const worker = startWorker();
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        signal?.throwIfAborted();
        const [index, file] = next;
        results[index] = readAnswer(
          await ask(worker, { path: file.path, sha256: file.sha256, directory }, signal),
          file,
        );
        onUnpacked?.(file.name, ++done, packages.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  const count = Math.max(1, Math.min(threads, packages.length));
  const workers = Array.from({ length: count }, async () => {
    try {
      await work();
    } catch (cause) {
      queue.length = 0; // the others stop after what they hold
      throw cause;
    }
  });
  const ended = await Promise.allSettled(workers);
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return results;
}

/** The worker's file beside this one: TypeScript in the workspace, JavaScript in the published package. */
function startWorker(): Worker {
  const source = import.meta.url.endsWith(".ts");
  return new Worker(new URL(`./unpack-worker.${source ? "ts" : "js"}`, import.meta.url), {
    execArgv: source ? ["--conditions=@bootproof/source"] : [],
  });
}

function ask(worker: Worker, order: UnpackOrder, signal: AbortSignal | undefined): Promise<UnpackAnswer> {
  return new Promise((resolve, reject) => {
    const stop = (): void => settle(() => reject(signal?.reason as Error));
    const fail = (cause: Error): void => settle(() => reject(cause));
    const take = (answer: UnpackAnswer): void => settle(() => resolve(answer));
    const settle = (outcome: () => void): void => {
      worker.off("message", take).off("error", fail);
      signal?.removeEventListener("abort", stop);
      outcome();
    };
    worker.on("message", take).on("error", fail);
    signal?.addEventListener("abort", stop);
    worker.postMessage(order);
  });
}

function readAnswer(answer: UnpackAnswer, file: PackageFile): UnpackedPackage {
  if ("unpacked" in answer) return answer.unpacked;
  if ("failed" in answer) throw Object.assign(new Error(answer.failed.message), answer.failed);
  if ("gone" in answer) throw goneFromStore(`package ${file.name}`, file.path);
  if ("differs" in answer)
    throw damagedInStore(`package ${file.name}`, file.path, {
      expected: file.sha256,
      found: answer.differs,
    });
  const { code, at, message } = answer.malformed;
  throw new BuildError(archiveCode(code, at), `cannot unpack package ${file.name}: ${message}`, {
    file: file.path,
    hint: "its bytes are the ones that the lock names: lock again, or leave the package out of the toolchain",
  });
}

/** Which page explains a malformed package. */
function archiveCode(code: string, at: string): BuildErrorCode {
  if (code === "TOO_LARGE") return "BP-ARCHIVE-008";
  if (at === "type of entry") return "BP-ARCHIVE-007";
  if (at.includes("link target")) return "BP-ARCHIVE-006";
  if (at === "path" && code === "DUPLICATE") return "BP-ARCHIVE-009";
  if (at === "path" || at === "merged-/usr path") return "BP-ARCHIVE-005";
  if (/^(?:xz|zstd|gzip) /.test(at)) return "BP-ARCHIVE-003";
  if (at.startsWith("ar ")) return "BP-ARCHIVE-001";
  if (/member|package format/.test(at)) return "BP-ARCHIVE-002";
  return "BP-ARCHIVE-004";
}

interface JoinedPackages {
  readonly entries: Map<string, TreeEntry>;
  /** Path of each hard link and of the file it shares. */
  readonly hardlinks: Map<string, string>;
}

/** Joins the packages' entries; throws {@link BuildError} BP-ARCHIVE-006 or 009. */
export function joinPackages(
  packages: readonly { readonly name: string; readonly unpacked: UnpackedPackage | undefined }[],
): JoinedPackages {
  const entries = new Map<string, TreeEntry>();
  const owners = new Map<string, string>();
  const hardlinks = new Map<string, string>();
  for (const { name, unpacked } of packages)
    for (const [path, entry] of unpacked?.entries ?? []) {
      const resolved = entry.type === "hardlink" ? resolveHardlink(entries, name, path, entry.target) : entry;
      const before = entries.get(path);
      if (before !== undefined && !isSame(before, resolved))
        throw conflict(path, owners.get(path) ?? "", before, name, resolved);
      if (before !== undefined) continue;
      entries.set(path, resolved);
      owners.set(path, name);
      if (entry.type === "hardlink") hardlinks.set(path, entry.target);
    }
  addParents(entries, owners);
  return { entries, hardlinks };
}

function resolveHardlink(
  entries: ReadonlyMap<string, TreeEntry>,
  name: string,
  path: string,
  target: string,
): TreeEntry {
  const entry = entries.get(target);
  if (entry?.type === "file") return entry;
  throw new BuildError("BP-ARCHIVE-006", `cannot unpack package ${name}: ${path} is a hard link to no file`, {
    found: target,
  });
}

function isSame(a: TreeEntry, b: PackageEntry): boolean {
  if (a.type === "file" && b.type === "file") return a.sha256 === b.sha256 && a.executable === b.executable;
  if (a.type === "symlink" && b.type === "symlink") return a.target === b.target;
  return a.type === "directory" && b.type === "directory";
}

function conflict(
  path: string,
  owner: string,
  before: TreeEntry,
  name: string,
  now: PackageEntry,
): BuildError {
  return new BuildError("BP-ARCHIVE-009", `packages ${owner} and ${name} put different things at /${path}`, {
    expected: describe(before),
    found: describe(now),
    hint: "leave one of the two out of the toolchain",
  });
}

function describe(entry: PackageEntry): string {
  if (entry.type === "file")
    return `${entry.executable ? "an executable" : "a file"}, sha256 ${entry.sha256}`;
  return entry.type === "directory" ? "a directory" : `a link to ${entry.target}`;
}

/** A package may leave out the directories above its files; a link or file among them is a conflict. */
function addParents(entries: Map<string, TreeEntry>, owners: ReadonlyMap<string, string>): void {
  for (const path of [...entries.keys()])
    for (let above = parentOf(path); above !== undefined; above = parentOf(above)) {
      const entry = entries.get(above);
      if (entry?.type === "directory") break;
      if (entry !== undefined)
        throw conflict(above, owners.get(above) ?? "", entry, owners.get(path) ?? "", { type: "directory" });
      entries.set(above, { type: "directory" });
    }
}

function makeLinks(
  entries: ReadonlyMap<string, TreeEntry>,
  hardlinks: ReadonlyMap<string, string>,
  directory: string,
): void {
  for (const [path, target] of hardlinks) {
    mkdirSync(join(directory, parentOf(path) ?? ""), { recursive: true });
    linkSync(join(directory, target), join(directory, path));
  }
  for (const [path, entry] of entries) {
    if (entry.type !== "symlink") continue;
    mkdirSync(join(directory, parentOf(path) ?? ""), { recursive: true });
    symlinkSync(entry.target, join(directory, path));
  }
}
