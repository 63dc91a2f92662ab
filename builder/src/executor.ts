/**
 * Running an action: the interface that any executor offers, and the one on this machine. Outputs reach the store
 * whole or not at all; a killed run leaves a work folder that the next one removes.
 * @module
 */
import { chmod, copyFile, lstat, mkdir, rm, statfs, utimes, writeFile } from "node:fs/promises";
import { constants } from "node:fs";
import { totalmem } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Blob } from "@bootproof/store";
import type { ActionResult } from "./action-cache.ts";
import type { PreparedAction } from "./action.ts";
import { BuildError, damagedInStore, goneFromStore } from "./build-error.ts";
import { STANDARD_CONDITIONS, type Conditions } from "./conditions.ts";
import { makeControlGroups, removeStaleControlGroups, type BuildLimits } from "./control-group.ts";
import { describeEnd, refuseLink } from "./execution-failure.ts";
import { claimPlaces, placesInUse } from "./places-in-use.ts";
import { runSandbox, type SandboxPlaces } from "./sandbox.ts";
import { SCRIPTS_FOLDER } from "./sandbox-scripts.ts";
import { checkOutToolchainRoot, type BuildStore, type RootOptions } from "./toolchain-root.ts";
import { hashFile } from "./tree-on-disk.ts";
import { ROOT_TIME } from "./unpack-package.ts";
import { makeWorkFolder, measureFolder, removeFolder, removeStaleFolders } from "./work-folder.ts";

/** A step that starts, or has ended with a status. */
export interface StepEvent {
  readonly step: string;
  readonly state: "start" | "done" | "fail";
  /** Milliseconds since the step started. */
  readonly elapsedMs: number;
  readonly logPath: string;
}

/** What a caller says about one run; nothing in it may change what comes out. */
export interface ExecuteOptions extends RootOptions {
  /** The action's inputs are in the store: packages by the lock, sources by the action. */
  readonly packages: Parameters<typeof checkOutToolchainRoot>[1];
  /** Names the log file, for people. */
  readonly label: string;
  readonly conditions?: Conditions;
  readonly limits?: Partial<BuildLimits>;
  readonly onStep?: (event: StepEvent) => void;
}

/** What a run left, and where one can read on. */
export interface Execution extends ActionResult {
  readonly logPath: string;
  /** Limits that the machine enforces on the build as a whole; others hold for each process. */
  readonly limited: readonly string[];
}

/** Anything that runs actions. */
export interface Executor {
  /** Runs `action`; throws {@link BuildError} when a step fails, a limit ends it, or an output is missing. */
  execute(action: PreparedAction, options: ExecuteOptions): Promise<Execution>;
}

const GIB = 2 ** 30;

/** Limits that no build of a kernel or a firmware comes near. */
export function defaultLimits(): BuildLimits {
  return {
    memory: Math.max(2 * GIB, Math.floor(totalmem() * 0.9)),
    processes: 16_384,
    fileSize: 32 * GIB,
    logSize: GIB,
    outputSize: 4 * GIB,
    scratch: Math.max(GIB / 4, Math.min(2 * GIB, Math.floor(totalmem() / 4))),
  };
}

/** Runs actions on this machine, in the sandbox. */
export class LocalExecutor implements Executor {
  readonly #store: BuildStore;

  constructor(store: BuildStore) {
    this.#store = store;
  }

  async execute(action: PreparedAction, options: ExecuteOptions): Promise<Execution> {
    const works = join(this.#store.path, "work");
    const stale = await removeStaleFolders(works);
    if (stale > 0) await removeStaleControlGroups();
    const work = await makeWorkFolder(works);
    try {
      const log = await this.#openLog(action, options.label, work);
      const root = await checkOutToolchainRoot(this.#store, options.packages, action.toolchain, options);
      const places = await prepare(this.#store, action, work, root, log);
      return await this.#run(action, options, places);
    } finally {
      await removeFolder(work);
    }
  }

  async #run(action: PreparedAction, options: ExecuteOptions, places: SandboxPlaces): Promise<Execution> {
    const limits = { ...defaultLimits(), ...options.limits };
    const conditions = options.conditions ?? STANDARD_CONDITIONS;
    const groups = await makeControlGroups(`bootproof-${basename(dirname(places.build))}`, limits);
    const clock = followSteps(action.steps, places.log, options.onStep);
    const wanted = Object.values(action.outputs);
    try {
      const end = await runSandbox(places, {
        conditions,
        limits,
        groups,
        timeoutSeconds: action.timeoutSeconds,
        outputs: wanted,
        onStep: clock.onStep,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      if (end.kind !== "done")
        throw await describeEnd(end, action, places.log, {
          outOfMemory: await groups.outOfMemory(),
          free: await freeSpace(places.build),
          limits,
        });
    } finally {
      await groups.remove();
    }
    const inMemory = conditions.buildInMemory !== undefined;
    const outputs: Record<string, Blob> = {};
    for (const [index, [name, path]] of Object.entries(action.outputs).entries())
      outputs[name] = inMemory
        ? await this.#keep(places.outputs, String(index + 1), name, limits.outputSize)
        : await this.#keep(places.build, path, name, limits.outputSize);
    return {
      outputs,
      log: await this.#store.blobs.putFile(places.log),
      logPath: places.log,
      seconds: clock.seconds,
      buildSize: inMemory ? 0 : await measureFolder(places.build),
      limited: [...groups.limited],
    };
  }

  /** Stores an output; no part of its path may be a link, which could lead to any file of this machine. */
  async #keep(folder: string, path: string, name: string, limit: number): Promise<Blob> {
    await refuseLink(folder, path, name);
    const file = join(folder, path);
    const { size } = await lstat(file);
    if (size > limit)
      throw new BuildError("BP-BUILD-004", `output ${name} is too large`, {
        file: path,
        expected: `at most ${limit} bytes`,
        found: String(size),
      });
    // Build tools may leave a file that its owner cannot read.
    await chmod(file, 0o600);
    return this.#store.blobs.putFile(file);
  }

  /**
   * Claims root and log for the build in `work`, and begins the log. Builds of the same action at once have logs of
   * their own: each claims the usual name before it looks whether another did, so at most one of them takes it.
   */
  async #openLog(action: PreparedAction, label: string, work: string): Promise<string> {
    const root = `roots/${action.toolchain.digest.hash}`;
    const stem = `logs/${label}-${action.digest.hash.slice(0, 12)}`;
    let log = `${stem}.log`;
    await claimPlaces(work, [root, log]);
    if ((await placesInUse(dirname(work), work)).has(log)) {
      log = `${stem}-${basename(work).slice(-8)}.log`;
      await claimPlaces(work, [root, log]);
    }
    const path = join(this.#store.path, log);
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    await writeFile(path, "", { flag: "wx" });
    return path;
  }
}

/** Lays out the layer that lies over the toolchain: scripts, steps and checked copies of the sources. */
async function prepare(
  store: BuildStore,
  action: PreparedAction,
  work: string,
  root: string,
  log: string,
): Promise<SandboxPlaces> {
  const places = {
    layer: join(work, "layer"),
    build: join(work, "build"),
    mount: join(work, "mount"),
    outputs: join(work, "outputs"),
  };
  for (const folder of Object.values(places)) await mkdir(folder);
  await mkdir(join(places.layer, SCRIPTS_FOLDER, "steps"), { recursive: true });
  await mkdir(join(places.layer, "source"));
  for (const { path, text, executable } of action.files)
    await writeFile(join(places.layer, path), text, { mode: executable ? 0o755 : 0o644 });
  for (const source of action.sources)
    await copySource(store, source, join(places.layer, "source", source.name));
  for (const folder of ["", SCRIPTS_FOLDER, `${SCRIPTS_FOLDER}/steps`, "source"])
    await chmod(join(places.layer, folder), 0o755);
  await chmod(places.build, 0o755);
  await utimes(join(places.layer, "source"), ROOT_TIME, ROOT_TIME);
  return { ...places, root, log };
}

async function copySource(
  store: BuildStore,
  { name, sha256 }: PreparedAction["sources"][number],
  target: string,
): Promise<void> {
  const path = store.blobs.path(sha256);
  if (!(await store.blobs.has(sha256))) throw goneFromStore(`source ${name}`, path);
  await copyFile(path, target, constants.COPYFILE_FICLONE);
  const found = hashFile(target);
  if (found !== sha256) throw damagedInStore(`source ${name}`, path, { expected: sha256, found });
  await chmod(target, 0o644);
  await utimes(target, ROOT_TIME, ROOT_TIME);
}

function followSteps(
  steps: readonly string[],
  logPath: string,
  onStep: ExecuteOptions["onStep"],
): { onStep: (number: number, status: number | undefined) => void; seconds: Record<string, number> } {
  const seconds: Record<string, number> = {};
  let started = 0;
  return {
    seconds,
    onStep: (number, status) => {
      const step = steps[number - 1] ?? String(number);
      if (status === undefined) started = performance.now();
      const elapsedMs = Math.round(performance.now() - started);
      if (status !== undefined) seconds[step] = elapsedMs / 1000;
      const state = status === undefined ? "start" : status === 0 ? "done" : "fail";
      onStep?.({ step, state, elapsedMs, logPath });
    },
  };
}

async function freeSpace(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
