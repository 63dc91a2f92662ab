/**
 * Faults at single system calls, by strace: the process is killed on entering the n-th call of a name, or that call
 * fails. Node makes file calls on a pool; with one thread in it they have one order, and strace counts by thread. The
 * writer first opens more files than the main thread ever does, so that a number means a call of the pool alone.
 * @module
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { ROOT } from "./command.ts";

const NODE = path.join(ROOT, "node_modules/.bin/node");
const WRITER = path.join(import.meta.dirname, "log-writer.ts");
const WRITING = "/^(openat|write|pwrite64|fsync|fdatasync|rename.*|link.*|unlink.*|mkdir.*|rmdir)$";

/** A system call of the writer that changes its folder. */
export interface WritingCall {
  readonly name: string;
  /** The how-many-th of its name in its thread, from 1. */
  readonly nth: number;
  /** As strace prints it, with file names. */
  readonly text: string;
}

/** What happens at a call. */
export type Fault = "KILL" | "EIO" | "ENOSPC";

/** How a traced writer ended. */
export interface TracedWriter {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
  readonly killed: boolean;
  /** The call at which the fault happened, as strace prints it. */
  readonly hit: string | undefined;
}

/** Why this machine forbids tracing (some containers do), or undefined when it does not. */
export async function tracingRefused(): Promise<string | undefined> {
  const { failed, stderr } = await execa("strace", ["-f", "-o", "/dev/null", "true"], { reject: false });
  return failed && /ptrace|PTRACE|not permitted/.test(stderr) ? stderr.trim() : undefined;
}

/** Every writing call that a writer makes in `folder`. */
export async function writingCalls(folder: string, batches: string): Promise<WritingCall[]> {
  const { lines, outcome } = await traceWriter(folder, batches, []);
  if (outcome.exitCode !== 0) throw new Error(`the writer failed: ${outcome.stdout}${outcome.stderr}`);
  const counts = new Map<string, number>();
  const calls: WritingCall[] = [];
  for (const line of lines) {
    const [, thread, text = "", name] = /^([0-9]+) +(([a-z0-9_]+)\(.*)$/.exec(line) ?? [];
    if (thread === undefined || name === undefined) continue;
    const nth = (counts.get(thread + name) ?? 0) + 1;
    counts.set(thread + name, nth);
    const writes = name === "openat" ? text.includes("O_CREAT") : true;
    if (writes && text.includes(folder)) calls.push({ name, nth, text });
  }
  return calls;
}

/** Runs a writer to which `fault` happens at `call`. */
export async function writeWithFault(
  folder: string,
  batches: string,
  { name, nth }: WritingCall,
  fault: Fault,
): Promise<TracedWriter> {
  const what = fault === "KILL" ? "signal=KILL" : `error=${fault}`;
  const inject = ["-e", `inject=${name}:${what}:when=${nth}`];
  const { lines, outcome } = await traceWriter(folder, batches, inject);
  // The line of a call at which the process was killed has no result.
  const hit = lines.findLast((line) =>
    fault === "KILL" ? line.includes(`${name}(`) : line.includes("(INJECTED)"),
  );
  return { ...outcome, hit };
}

async function traceWriter(
  folder: string,
  batches: string,
  inject: readonly string[],
): Promise<{ lines: string[]; outcome: TracedWriter }> {
  const trace = `${folder}.strace`;
  const kills = inject.some((argument) => argument.includes("signal="));
  // strace 6.1 injects no signals where the kernel filters for it; without that it is slower.
  const fast = kills ? [] : ["--seccomp-bpf"];
  const strace = ["-f", ...fast, "-y", "-s", "8", "-o", trace, "-e", `trace=${WRITING}`, ...inject];
  const writer = [NODE, "--conditions=@bootproof/source", WRITER, folder, batches];
  const result = await execa("strace", [...strace, ...writer], {
    cwd: ROOT,
    env: { UV_THREADPOOL_SIZE: "1", BOOTPROOF_WARM_UP: "1", NODE_NO_WARNINGS: "1" },
    reject: false,
    stripFinalNewline: false,
  });
  const lines = (await readFile(trace, "utf8").catch(() => "")).split("\n");
  const killed = result.signal === "SIGKILL" || result.exitCode === 137;
  const { stdout, stderr, exitCode } = result;
  return { lines, outcome: { stdout, stderr, exitCode, killed, hit: undefined } };
}
