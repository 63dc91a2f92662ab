/**
 * Folders that a running build works in, and what becomes of those whose build was killed: the next build removes
 * them. A folder's name says which process of which boot owns it, so that a process id used again, or one of another
 * container on the same volume, is not taken for its owner.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./process.ts";

/** A folder of an owner we cannot ask (another machine, container or boot) goes after a day. */
const FOREIGN_AFTER_MS = 24 * 60 * 60 * 1000;
const NAME = /^([0-9a-f]{12})-([0-9]+)-([0-9]+)-[0-9a-f]{8}$/;

/** Makes a fresh folder of this process in `parent`. */
export async function makeWorkFolder(parent: string): Promise<string> {
  const owner = `${place()}-${process.pid}-${startTime(process.pid) ?? "0"}`;
  const folder = join(parent, `${owner}-${randomBytes(4).toString("hex")}`);
  await mkdir(parent, { recursive: true });
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

/** Removes the folders in `parent` whose process is gone, and says how many. */
export async function removeStaleFolders(parent: string): Promise<number> {
  const names = await readdir(parent).catch(() => []);
  let removed = 0;
  for (const name of names) {
    const folder = join(parent, name);
    if (!(await isStale(name, folder))) continue;
    await removeFolder(folder);
    removed++;
  }
  return removed;
}

/** Whether nobody works in `folder` any more: the process that its name gives is gone. */
export async function isStale(name: string, folder: string): Promise<boolean> {
  const [, where, pid, started] = NAME.exec(name) ?? [];
  if (where === undefined) return false;
  if (where === place()) return startTime(Number(pid)) !== started;
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > FOREIGN_AFTER_MS;
}

/**
 * Removes a folder and everything in it, also what a build left without write permission or under a name that is no
 * text, both of which the runtime's own removal trips over.
 */
export async function removeFolder(folder: string): Promise<void> {
  const env = { PATH: "/usr/bin:/bin" };
  const first = await run("rm", ["-rf", "--", folder], { env });
  if (first.exitCode === 0) return;
  await run("chmod", ["-R", "u+rwX", "--", folder], { env });
  const second = await run("rm", ["-rf", "--", folder], { env });
  if (second.exitCode !== 0)
    throw new Error(`cannot remove ${folder}: ${second.stderr.split("\n")[0] ?? ""}`);
}

/** Bytes that a folder takes on the disk. */
export async function measureFolder(folder: string): Promise<number> {
  const { stdout } = await run("du", ["-s", "--block-size=1", "--", folder], {
    env: { PATH: "/usr/bin:/bin" },
  });
  return Number(/^[0-9]+/.exec(stdout)?.[0] ?? 0);
}

/** This boot and this process-id namespace: within them an id and a start time name one process. */
function place(): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
  return createHash("sha256")
    .update(boot + readlinkSync("/proc/self/ns/pid"))
    .digest("hex")
    .slice(0, 12);
}

/** When a process started, in clock ticks since boot (proc(5), stat field 22), or undefined when there is none. */
function startTime(pid: number): string | undefined {
  try {
    // The command's name stands in parentheses and may itself hold spaces and parentheses.
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    return line.slice(line.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
