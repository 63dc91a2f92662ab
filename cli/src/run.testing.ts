/**
 * Running the program inside a test, with its output caught.
 * @module
 */
import { runProgram } from "./run.ts";

export interface Caught {
  exit: number;
  stdout: string;
  stderr: string;
}

export async function run(
  argv: readonly string[],
  env: Record<string, string> = {},
  cwd: string = process.cwd(),
): Promise<Caught> {
  const caught = { exit: 0, stdout: "", stderr: "" };
  caught.exit = await runProgram(argv, {
    stdout: { write: (text) => (caught.stdout += text) },
    stderr: { write: (text) => (caught.stderr += text) },
    env,
    cwd,
    signal: new AbortController().signal,
  });
  return caught;
}
