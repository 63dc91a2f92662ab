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

/** A system call of the writer that changes its folder, or that sends to or hears from its server. */
export interface WritingCall {
  readonly name: string;
  /** The how-many-th of its name in its thread, from 1. */
  readonly nth: number;
  /** As strace prints it, with file names. */
  readonly text: string;
}

/** What happens at a call: the process is killed, or the call fails in this way. */
export type Fault = "KILL" | "EIO" | "ENOSPC" | "ECONNRESET" | "EPIPE";

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
  call: WritingCall,
  fault: Fault,
): Promise<TracedWriter> {
  const { lines, outcome } = await traceWriter(folder, batches, injected(call, fault));
  return { ...outcome, hit: hitOf(lines, call, fault) };
}

function injected({ name, nth }: WritingCall, fault: Fault): string[] {
  const what = fault === "KILL" ? "signal=KILL" : `error=${fault}`;
  return ["-e", `inject=${name}:${what}:when=${nth}`];
}

/** The line of a call at which the process was killed has no result. */
function hitOf(lines: readonly string[], { name }: WritingCall, fault: Fault): string | undefined {
  return lines.findLast((line) =>
    fault === "KILL" ? line.includes(`${name}(`) : line.includes("(INJECTED)"),
  );
}

async function traceWriter(
  folder: string,
  batches: string,
  inject: readonly string[],
): Promise<{ lines: string[]; outcome: TracedWriter }> {
  const kills = inject.some((argument) => argument.includes("signal="));
  // strace 6.1 injects no signals where the kernel filters for it; without that it is slower.
  const fast = kills ? [] : ["--seccomp-bpf"];
  const options = ["-f", ...fast, "-y", "-e", `trace=${WRITING}`, ...inject];
  return trace(folder, [folder, batches], options, { UV_THREADPOOL_SIZE: "1", BOOTPROOF_WARM_UP: "1" });
}

/** Node sends and hears on its main thread, and strace without -f follows no other. */
const TALKING = "/^(write|writev|sendto|sendmsg|read|readv|recvfrom|recvmsg|connect)$";
const HEARING = /^(read|recv)/;

/** Every call with which a writer sends to its PostgreSQL server or hears from it. */
export async function talkingCalls(folder: string, batches: string, server: Server): Promise<WritingCall[]> {
  const { lines, outcome } = await traceTalk(folder, batches, server, []);
  if (outcome.exitCode !== 0) throw new Error(`the writer failed: ${outcome.stdout}${outcome.stderr}`);
  const counts = new Map<string, number>();
  return lines.flatMap((text) => {
    const [, name] = /^([a-z]+)\(/.exec(text) ?? [];
    if (name === undefined) return [];
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    return isTalk(text) && !text.includes("EAGAIN") ? [{ name, nth, text }] : [];
  });
}

/** Whether a call is on a connection to the server; what the writer prints goes through a socket too. */
const isTalk = (line: string): boolean => /^[a-z]+\((?:[3-9]|[1-9][0-9]+)<(?:UNIX|TCP)/.test(line);

/** The failure that a connection which breaks shows at a call. */
export const breakAt = ({ name }: WritingCall): Fault => (HEARING.test(name) ? "ECONNRESET" : "EPIPE");

/** A PostgreSQL server as a writer needs it. */
export interface Server {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a writer with its head on a server, to which `fault` happens at `call`. */
export async function talkWithFault(
  folder: string,
  batches: string,
  server: Server,
  call: WritingCall,
  fault: Fault,
): Promise<TracedWriter> {
  const { lines, outcome } = await traceTalk(folder, batches, server, injected(call, fault));
  const hit = hitOf(lines, call, fault);
  // Another call in the place of that one, such as a wake-up from a thread: nothing happened to the connection.
  return { ...outcome, hit: hit !== undefined && isTalk(hit) ? hit : undefined };
}

function traceTalk(
  folder: string,
  batches: string,
  { url, env }: Server,
  inject: readonly string[],
): Promise<{ lines: string[]; outcome: TracedWriter }> {
  return trace(folder, [folder, batches, url], ["-yy", "-e", `trace=${TALKING}`, ...inject], env);
}

async function trace(
  folder: string,
  writer: readonly string[],
  options: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ lines: string[]; outcome: TracedWriter }> {
  const file = `${folder}.strace`;
  const command = [NODE, "--conditions=@bootproof/source", WRITER, ...writer];
  const result = await execa("strace", ["-s", "8", "-o", file, ...options, ...command], {
    cwd: ROOT,
    env: { NODE_NO_WARNINGS: "1", ...env },
    reject: false,
    stripFinalNewline: false,
  });
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  const killed = result.signal === "SIGKILL" || result.exitCode === 137;
  const { stdout, stderr, exitCode } = result;
  return { lines, outcome: { stdout, stderr, exitCode, killed, hit: undefined } };
}
