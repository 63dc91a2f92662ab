/**
 * Running the program inside a test, with its output caught.
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll } from "vitest";

import { runProgram } from "./run.ts";

// What a test sees of its logs is not for the home of whoever runs it.
const STATE = mkdtempSync(join(tmpdir(), "bootproof-state-"));
afterAll(() => {
  rmSync(STATE, { recursive: true, force: true });
});

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
    env: { BOOTPROOF_STATE: STATE, ...env },
    cwd,
    signal: new AbortController().signal,
  });
  return caught;
}
