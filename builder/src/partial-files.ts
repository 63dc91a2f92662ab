/**
 * Files that are being downloaded, kept under `partial/` in the store so that the next process goes
 * on where a killed one stopped. A file belongs to the process in its name: `<sha256>.<pid>.<n>`.
 * @module
 */
import { mkdir, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

const mine = new Set<string>();
let counter = 0;

/** Takes the file for the input named `sha256`: what a dead process left of it, or a new name. Call `release` when done. */
export async function claimPartial(
  folder: string,
  sha256: string,
): Promise<{ readonly path: string; release(): void }> {
  await mkdir(folder, { recursive: true });
  const name = `${sha256}.${process.pid}.${++counter}`;
  mine.add(name);
  const path = join(folder, name);
  for (const left of await readdir(folder)) {
    if (!left.startsWith(`${sha256}.`) || !isLeft(left)) continue;
    // Another process may take it first: then this rename fails and the next one is tried.
    const taken = await rename(join(folder, left), path).then(
      () => true,
      () => false,
    );
    if (taken) break;
  }
  return { path, release: () => mine.delete(name) };
}

/** Removes what dead processes left and nobody has gone on with since `youngest`; returns the bytes freed. */
export async function removeStalePartials(folder: string, youngest: number): Promise<number> {
  let bytesFreed = 0;
  for (const name of (await readdir(folder).catch(() => [])).filter(isLeft)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || found.mtimeMs > youngest) continue;
    await unlink(path);
    bytesFreed += found.size;
  }
  return bytesFreed;
}

/** Whether nobody is writing the file: its process is gone, or was an earlier one with our number. */
function isLeft(name: string): boolean {
  const pid = Number(/^[0-9a-f]{64}\.([0-9]{1,10})\.[0-9]+$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(pid)) return false;
  if (pid === process.pid) return !mine.has(name);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}
