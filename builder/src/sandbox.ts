/**
 * Runs an action's steps in the sandbox on this machine (the script is in sandbox-scripts.ts), under given conditions
 * and limits, and says how it ended. Whatever ends this process ends everything in the sandbox: the outermost process
 * is killed when its parent dies, and takes the process-id namespace with it.
 * @module
 */
import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Conditions } from "./conditions.ts";
import type { BuildLimits, ControlGroups } from "./control-group.ts";
import { startLogged } from "./process.ts";
import { SANDBOX_VARIABLES as VARIABLES, SCRIPTS_FOLDER } from "./sandbox-scripts.ts";

/** Folders and files of one run; all exist. */
export interface SandboxPlaces {
  /** Holds `.bootproof` and `source`. */
  readonly layer: string;
  /** The toolchain root; it is not written to. */
  readonly root: string;
  /** Becomes the build folder. */
  readonly build: string;
  /** Empty, to mount on. */
  readonly mount: string;
  /** Receives the outputs when the build folder is in memory, named 1, 2, ... */
  readonly outputs: string;
  readonly log: string;
}

/** How the run is bounded and followed. */
export interface SandboxOptions {
  readonly conditions: Conditions;
  readonly limits: BuildLimits;
  readonly groups: ControlGroups;
  readonly timeoutSeconds: number;
  /** Paths below the build folder that are wanted. */
  readonly outputs: readonly string[];
  readonly signal?: AbortSignal;
  /** Called when a step, counted from 1, starts or ends. */
  readonly onStep: (number: number, status: number | undefined) => void;
}

/** How a run ended. */
export type SandboxEnd =
  | { readonly kind: "done" }
  | { readonly kind: "step-failed"; readonly step: number; readonly status: number }
  | { readonly kind: "killed"; readonly why: "time" | "log" | "disk" | "signal" }
  | { readonly kind: "broke-off"; readonly step: number; readonly status: number | undefined }
  | { readonly kind: "not-set-up"; readonly status: number | undefined };

const WATCH_MS = 500;
/** Less free space than this and the build is stopped before the whole machine suffers. */
const LEAST_DISK = 64 * 1024 * 1024;

/** Runs the steps to their end. */
export async function runSandbox(places: SandboxPlaces, options: SandboxOptions): Promise<SandboxEnd> {
  const seen = new Reports(options.onStep);
  const [command, ...args] = commandLine(places, options);
  const child = await startLogged(command, args, {
    cwd: places.build,
    env: environment(places, options),
    log: places.log,
    onReport: (line) => seen.take(line),
  });
  const watch = watchRun(places, options, () => child.kill());
  const status = await child.ended;
  const killed = await watch.stop();
  if (killed !== undefined) return { kind: "killed", why: killed };
  if (seen.failed !== undefined) return { kind: "step-failed", ...seen.failed };
  if (status === 0) return { kind: "done" };
  return seen.ready ? { kind: "broke-off", step: seen.step, status } : { kind: "not-set-up", status };
}

/** What the run script has reported so far. */
class Reports {
  ready = false;
  step = 0;
  failed: { step: number; status: number } | undefined;
  readonly #onStep: SandboxOptions["onStep"];

  constructor(onStep: SandboxOptions["onStep"]) {
    this.#onStep = onStep;
  }

  take(line: string): void {
    const [word, number, status] = line.split(" ");
    if (word === "ready") this.ready = true;
    if (word === "start") this.step = Number(number);
    if (word === "end" && status !== "0") this.failed = { step: this.step, status: Number(status) };
    if (word === "start" || word === "end")
      this.#onStep(this.step, word === "end" ? Number(status) : undefined);
  }
}

/** Outermost first: tie to this process, limits, personality, processors, then the sandbox's own script. */
function commandLine(
  { layer }: SandboxPlaces,
  { conditions, limits, groups }: SandboxOptions,
): [string, ...string[]] {
  return [
    "setpriv",
    ...["--pdeathsig", "KILL"],
    "prlimit",
    "--core=0",
    `--fsize=${limits.fileSize}`,
    `--nproc=${limits.processes}`,
    // Address space would be the wrong thing to limit: compilers and sanitizers reserve far more than they use.
    ...(groups.limited.has("memory") ? [] : [`--data=${limits.memory}`]),
    ...(conditions.otherPersonality === true
      ? ["setarch", "x86_64", "--addr-no-randomize", "--uname-2.6"]
      : []),
    ...(conditions.processor === undefined ? [] : ["taskset", "-c", String(conditions.processor)]),
    "/bin/sh",
    join(layer, SCRIPTS_FOLDER, "enter"),
  ];
}

function environment(
  { root, mount, outputs }: SandboxPlaces,
  { conditions, limits, groups, outputs: wanted }: SandboxOptions,
): Record<string, string> {
  const vary = Object.entries(conditions.environment ?? {}).map(([name, value]) => `${name}=${value}`);
  const settings: Partial<Record<keyof typeof VARIABLES, string | number>> = {
    root,
    mount,
    scratch: limits.scratch,
    cgroups: groups.folders.join("\n"),
    vary: vary.join("\n"),
    ...(conditions.buildPath === undefined ? {} : { build: conditions.buildPath }),
    ...(conditions.hostname === undefined ? {} : { hostname: conditions.hostname }),
    ...(conditions.user === undefined ? {} : { user: conditions.user }),
    ...(conditions.umask === undefined ? {} : { umask: conditions.umask }),
    ...(conditions.buildInMemory === undefined
      ? {}
      : { buildMemory: conditions.buildInMemory, outputs, copy: wanted.join("\n") }),
  };
  return {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    ...Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [
        VARIABLES[key as keyof typeof VARIABLES],
        String(value),
      ]),
    ),
  };
}

type Kill = "time" | "log" | "disk" | "signal";

/** Kills the run when its time, its log, the disk or the caller's patience ends; `stop` says which, if any. */
function watchRun(
  { log, build }: SandboxPlaces,
  { timeoutSeconds, limits, signal }: SandboxOptions,
  kill: () => void,
): { stop(): Promise<Kill | undefined> } {
  let why: Kill | undefined;
  const end = (reason: Kill): void => {
    why ??= reason;
    kill();
  };
  const onAbort = (): void => end("signal");
  const timer = setTimeout(() => end("time"), timeoutSeconds * 1000);
  let looking = Promise.resolve();
  const watch = setInterval(() => {
    looking = look().catch(() => undefined);
  }, WATCH_MS);
  const look = async (): Promise<void> => {
    if ((await stat(log)).size > limits.logSize) end("log");
    const { bavail, bsize } = await statfs(build);
    if (bavail * bsize < LEAST_DISK) end("disk");
  };
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted === true) onAbort();
  return {
    stop: async () => {
      clearTimeout(timer);
      clearInterval(watch);
      signal?.removeEventListener("abort", onAbort);
      await looking;
      return why;
    },
  };
}
