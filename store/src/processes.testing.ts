/**
 * Running the worker in other processes, also inside a mount namespace of its own.
 * @module
 */
import { execFile, spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const run = promisify(execFile);
const WORKER = fileURLToPath(new URL("./worker.testing.ts", import.meta.url));
const NODE = [process.execPath, "--conditions=@bootproof/source", WORKER] as const;

/** A directory of the running test's own. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "bootproof-store-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a verb of the worker to its end; its report. */
export async function work<T>(
  verb: string,
  root: string,
  argument = "",
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const [command, ...before] = NODE;
  const { stdout } = await run(command, [...before, verb, root, argument], {
    env: { ...process.env, ...env },
  });
  return JSON.parse(stdout) as T;
}

/** Starts a verb of the worker. */
export function startWork(
  verb: string,
  root: string,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const [command, ...before] = NODE;
  const stdio: StdioOptions = ["ignore", "pipe", "inherit"];
  return spawn(command, [...before, verb, root], { stdio, env: { ...process.env, ...env } });
}

/** Runs a verb where `root` is a tmpfs mounted with `options`; needs user namespaces, not root. */
export async function workOnTmpfs<T>(
  options: string,
  verb: string,
  root: string,
  argument: string,
): Promise<T> {
  const script = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"';
  const command = ["-rm", "sh", "-c", script, "sh", options, root, ...NODE, verb, root, argument];
  const { stdout } = await run("unshare", command);
  return JSON.parse(stdout) as T;
}

/** Whether this machine lets us mount a tmpfs in a namespace of our own. */
export async function canMount(): Promise<boolean> {
  try {
    await run("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]);
    return true;
  } catch {
    return false;
  }
}

/** All that an iterator yields. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}
