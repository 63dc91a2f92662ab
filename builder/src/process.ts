/**
 * The one door to execa: child processes with an argument list, a named environment and an end.
 * @module
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { execa } from "execa";

/** How a command is run; nothing of our own environment goes in unless it is named. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How a command ended. */
export interface RunResult {
  /** Undefined when a signal or the time limit ended it, or it could not be started. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

// What a command that we read may say; one that says more is cut off, not buffered.
const MAX_OUTPUT = 1_048_576;

/** Runs a command to its end; a command that fails is a result, not an exception. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, timeoutMs, signal }: RunOptions = {},
): Promise<RunResult> {
  const result = await execa(command, args, {
    env: { ...env },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    maxBuffer: MAX_OUTPUT,
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** A command whose output goes to a file as it comes. */
export interface LoggedOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** File that standard output and standard error are added to. */
  readonly log: string;
  /** Called with each line that the command writes to file descriptor 3. */
  readonly onReport: (line: string) => void;
}

/** A command under way. */
export interface LoggedProcess {
  /** How it ended: an exit status, or undefined when a signal ended it or it could not be started. */
  readonly ended: Promise<number | undefined>;
  /** Ends it at once; what it started must be tied to it. */
  kill(): void;
}

/** Starts a command in a session of its own, without a terminal; its output never passes through this process. */
export async function startLogged(
  command: string,
  args: readonly string[],
  { cwd, env, log, onReport }: LoggedOptions,
): Promise<LoggedProcess> {
  const output = createWriteStream(log, { flags: "a" });
  await once(output, "open");
  const child = execa(command, args, {
    cwd,
    env: { ...env },
    extendEnv: false,
    reject: false,
    buffer: false,
    detached: true,
    // An open file goes to the child as it is when nothing is buffered here.
    stdio: ["ignore", output, output, "pipe"],
  });
  output.destroy();
  const reports = child.stdio[3];
  const lines =
    reports instanceof Readable ? createInterface({ input: reports }).on("line", onReport) : undefined;
  const linesEnded = lines === undefined ? undefined : once(lines, "close");
  return {
    ended: child.then(async ({ exitCode }) => {
      await linesEnded;
      return exitCode;
    }),
    kill: () => {
      child.kill("SIGKILL");
    },
  };
}
