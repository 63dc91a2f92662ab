/**
 * The one door to execa: child processes with an argument list, a named environment and an end.
 * @module
 */
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
