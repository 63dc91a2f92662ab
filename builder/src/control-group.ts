/**
 * Limits on memory and processes of a whole build, where the machine lets us make a control group (cgroup v2, or the
 * v1 controllers): usually as root. Elsewhere only the limits on each process hold.
 * @module
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";

/** What a build may use. */
export interface BuildLimits {
  /** Bytes of memory of all processes together, or of each where that cannot be limited. */
  readonly memory: number;
  readonly processes: number;
  /** Bytes of a single file. */
  readonly fileSize: number;
  /** Bytes of the log. */
  readonly logSize: number;
  /** Bytes of an output. */
  readonly outputSize: number;
  /** Bytes of changes to the root, and again of /tmp; both lie in memory. */
  readonly scratch: number;
}

/** Control groups made for one build. */
export interface ControlGroups {
  /** Folders whose `cgroup.procs` the build joins. */
  readonly folders: readonly string[];
  readonly limited: ReadonlySet<"memory" | "processes">;
  /** Whether the kernel ended a process for want of memory. */
  outOfMemory(): Promise<boolean>;
  remove(): Promise<void>;
}

const ROOT = "/sys/fs/cgroup";

interface Controller {
  readonly folder: string;
  readonly settings: readonly (readonly [file: string, value: string])[];
  readonly limits: readonly ("memory" | "processes")[];
}

/** Makes what the machine allows; nothing is an answer too. */
export async function makeControlGroups(name: string, limits: BuildLimits): Promise<ControlGroups> {
  const folders: string[] = [];
  const limited = new Set<"memory" | "processes">();
  for (const { folder, settings, limits: kinds } of controllers(name, limits)) {
    if (!(await setUp(folder, settings))) continue;
    folders.push(folder);
    for (const kind of kinds) limited.add(kind);
  }
  return {
    folders,
    limited,
    outOfMemory: () => sawOutOfMemory(folders),
    remove: () => removeGroups(folders),
  };
}

function controllers(name: string, { memory, processes }: BuildLimits): Controller[] {
  if (existsSync(join(ROOT, "cgroup.controllers")))
    return [
      {
        folder: join(ROOT, name),
        settings: [
          ["memory.max", String(memory)],
          ["memory.swap.max", "0"],
          ["memory.oom.group", "1"],
          ["pids.max", String(processes)],
        ],
        limits: ["memory", "processes"],
      },
    ];
  return [
    {
      folder: join(ROOT, "memory", name),
      settings: [["memory.limit_in_bytes", String(memory)]],
      limits: ["memory"],
    },
    { folder: join(ROOT, "pids", name), settings: [["pids.max", String(processes)]], limits: ["processes"] },
  ];
}

async function setUp(folder: string, settings: Controller["settings"]): Promise<boolean> {
  try {
    await mkdir(folder);
  } catch {
    return false;
  }
  try {
    for (const [file, value] of settings)
      // Swap accounting is off on many machines, and then there is no such file.
      if (file !== "memory.swap.max" || existsSync(join(folder, file)))
        await writeFile(join(folder, file), value);
    return true;
  } catch {
    await rmdir(folder).catch(() => undefined);
    return false;
  }
}

/** Removes the groups of builds that were killed; one that still has processes stays. */
export async function removeStaleControlGroups(): Promise<void> {
  for (const parent of [ROOT, join(ROOT, "memory"), join(ROOT, "pids")])
    for (const name of await readdir(parent).catch(() => []))
      if (name.startsWith("bootproof-")) await rmdir(join(parent, name)).catch(() => undefined);
}

async function sawOutOfMemory(folders: readonly string[]): Promise<boolean> {
  for (const folder of folders)
    for (const file of ["memory.events", "memory.oom_control"]) {
      const text = await readFile(join(folder, file), "utf8").catch(() => "");
      if (/^oom_kill [1-9]/m.test(text)) return true;
    }
  return false;
}

/** A group can be removed once its last process has been reaped, which may take a moment after it was killed. */
async function removeGroups(folders: readonly string[]): Promise<void> {
  for (const folder of folders)
    for (let attempt = 0; attempt < 50; attempt++) {
      const left = await rmdir(folder).then(
        () => false,
        () => existsSync(folder),
      );
      if (!left) break;
      await sleep(20);
    }
}
