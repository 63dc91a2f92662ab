/**
 * Time, as medians: of code in this process, and of the processor time that commands take.
 * @module
 */
import { execa } from "execa";

/** The middle one of some numbers. */
export function middle(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

/** Median milliseconds of `runs` runs, after one to warm up. */
export async function median(runs: number, run: () => unknown): Promise<number> {
  const [only] = await medians(runs, [run]);
  return only ?? Number.NaN;
}

/** Median milliseconds of several pieces of code that take turns, so that a busy moment meets all of them. */
export async function medians(runs: number, pieces: readonly (() => unknown)[]): Promise<number[]> {
  const times = pieces.map((): number[] => []);
  for (let round = 0; round <= runs; round++)
    for (const [index, piece] of pieces.entries()) {
      const start = performance.now();
      await piece();
      if (round > 0) times[index]?.push(performance.now() - start);
    }
  return times.map(middle);
}

/** A command to run. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Median milliseconds of processor time (user and system, with children) of commands that take turns. */
export async function processorTimes(runs: number, commands: readonly Command[]): Promise<number[]> {
  const times = commands.map((): number[] => []);
  for (let round = 0; round <= runs; round++)
    for (const [index, command] of commands.entries()) {
      const time = await processorTime(command);
      if (round > 0) times[index]?.push(time);
    }
  return times.map(middle);
}

/** Bash adds up what getrusage says of its child. */
async function processorTime({ file, args, env = {} }: Command): Promise<number> {
  const script = 'TIMEFORMAT="%3U %3S"; { time "$@" >/dev/null 2>&3; } 3>/dev/null';
  const { stderr } = await execa("bash", ["-c", script, "bash", file, ...args], { env });
  const [user, system] = stderr.trim().split(" ").map(Number);
  if (user === undefined || system === undefined) throw new Error(`no times in ${stderr}`);
  return (user + system) * 1000;
}
