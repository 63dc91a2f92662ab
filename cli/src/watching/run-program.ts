/**
 * Alerts given to a program: the JSON document on its standard input, arguments as they were configured, no shell, and of
 * our environment only what programs need to start. One that takes too long is ended with all that it started.
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";

import { oneLine } from "../report/printable.ts";
import type { AlertDocument } from "./alert-text.ts";
import type { ExecConfig } from "./watch-config.ts";

/** What is kept of what a program writes on standard error. */
const MAX_KEPT = 4096;
const INHERITED = ["PATH", "HOME", "LANG", "TZ"] as const;

/** Runs a program with an alert; returns why it did not take it: any end but exit status 0. */
export async function runWithAlert(
  { command: [program, ...args], timeout }: ExecConfig,
  alert: AlertDocument,
  signal: AbortSignal,
): Promise<string | undefined> {
  const env = Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  ) as Record<string, string>;
  // A group of its own, so that what it starts can be ended with it.
  const child = spawn(program, args, { env, detached: true, stdio: ["pipe", "ignore", "pipe"] });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout * 1000)]);
  const kill = (): void => killGroup(child);
  limit.addEventListener("abort", kill);
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    if (said.length < MAX_KEPT) said += bytes.toString().slice(0, MAX_KEPT);
  });
  // A program that does not read its input is no failure; its exit status says how it went.
  child.stdin.on("error", () => undefined);
  child.stdin.end(`${JSON.stringify(alert)}\n`);
  const ended = await end(child);
  limit.removeEventListener("abort", kill);
  if (ended === undefined) return undefined;
  return limit.aborted && !signal.aborted
    ? `not done within ${String(timeout)} s`
    : `${ended}${said === "" ? "" : `: ${oneLine(said.trim())}`}`;
}

/** Waits for the end of a program, not of what still holds its pipes. */
function end(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => {
      child.stderr?.destroy();
      resolve(
        code === 0 ? undefined : code === null ? `ended by ${String(signal)}` : `exit status ${String(code)}`,
      );
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
