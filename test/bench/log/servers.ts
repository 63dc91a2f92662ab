/**
 * Logs that take entries at POST /add and serve their tiles beside it: ours and Tessera's, each in a fresh folder.
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatVkey } from "@bootproof/bytes";
import { formatSigningKey, makeSigningKey } from "@bootproof/bytes/signing";
import { execa } from "execa";
import { freePort } from "../../free-port.ts";
import { BOOTPROOF } from "../image.ts";
import type { Tessera } from "../peers/tessera.ts";

const ORIGIN = "bench.example/log";

/** A log that is up. */
export interface LogServer {
  readonly name: string;
  /** With a slash at its end. */
  readonly url: string;
  readonly vkey: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a log in an empty folder. */
export type StartLog = (folder: string) => Promise<LogServer>;

/** `bootproof log serve --hammer`. */
export const startBootproof: StartLog = async (folder) => {
  const log = path.join(folder, "log");
  const init = await execa(BOOTPROOF, ["log", "init", "--log", log, "--origin", ORIGIN, "--json"]);
  const { vkey } = JSON.parse(init.stdout) as { vkey: string };
  const port = await freePort();
  // Tessera's server tells nothing of each request, so ours does not.
  const serve = ["log", "serve", "--log", log, "--port", `${port}`, "--hammer", "--quiet"];
  return up("bootproof", start(BOOTPROOF, serve), port, vkey);
};

/** Tessera's conformance/posix. */
export const startTessera =
  ({ name, posix }: Tessera): StartLog =>
  async (folder) => {
    const key = makeSigningKey(ORIGIN, new Uint8Array(32).fill(9));
    const file = path.join(folder, "key");
    await mkdir(path.join(folder, "log"));
    await writeFile(file, formatSigningKey(key));
    const port = await freePort();
    const args = [`--storage_dir=${path.join(folder, "log")}`, `--private_key=${file}`];
    const child = start(posix, [...args, `--listen=127.0.0.1:${port}`]);
    return up(name, child, port, formatVkey(key.vkey));
  };

const start = (file: string, args: readonly string[]): ChildProcess =>
  spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });

/** Waits until it has a checkpoint to show. */
async function up(name: string, child: ChildProcess, port: number, vkey: string): Promise<LogServer> {
  const url = `http://127.0.0.1:${port}/`;
  let said = "";
  child.stderr?.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)));
  for (let tries = 0; (await sizeOf(url)) === undefined; tries++) {
    if (tries > 400 || child.exitCode !== null || child.pid === undefined) {
      child.kill("SIGKILL");
      throw new Error(`${name} does not serve a log: ${said}`);
    }
    await sleep(50);
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { name, url, vkey, pid: child.pid ?? 0, stop };
}

/** The tree size that a log shows; undefined when it shows none. */
export async function sizeOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${url}checkpoint`);
    const size = Number((await response.text()).split("\n")[1]);
    return response.ok ? size : undefined;
  } catch {
    return undefined;
  }
}
