/**
 * Running the real command in a scratch folder, as a user would.
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll } from "vitest";

/** The clone under test. */
export const ROOT: string = path.resolve(import.meta.dirname, "../..");

/** The command as it runs from a clone. */
export const BOOTPROOF: string = path.join(ROOT, "node_modules/.bin/bootproof");

// What tests see of their logs is not for the home of whoever runs them: many have the same names and keys.
const STATE = mkdtempSync(path.join(tmpdir(), "bootproof-e2e-state-"));
process.env["BOOTPROOF_STATE"] = STATE;
afterAll(() => {
  rmSync(STATE, { recursive: true, force: true });
});

/** What a command said and how it ended. */
export interface Outcome {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** The document of a command that failed. */
export interface Failure {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly file?: string;
    readonly expected?: string;
    readonly found?: string;
    readonly hint?: string;
  };
}

/** How to run it. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `bootproof` and returns what it said; fails only when it cannot be started. */
export async function bootproof(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const result = await execa(BOOTPROOF, args, {
    cwd: options.cwd ?? ROOT,
    env: { CI: "true", ...options.env },
    reject: false,
    stdin: "ignore",
  });
  if (result.exitCode === undefined && result.signal === undefined) throw new Error(result.shortMessage);
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** Runs `bootproof --json` and returns its document; throws, with everything it said, when the exit code is another. */
export async function bootproofJson<T>(
  args: readonly string[],
  exitCode: number,
  options: RunOptions = {},
): Promise<T> {
  const outcome = await bootproof([...args, "--json"], options);
  if (outcome.exitCode !== exitCode)
    throw new Error(
      `exit ${outcome.exitCode ?? "by signal"}, not ${exitCode}\n${outcome.stdout}\n${outcome.stderr}`,
    );
  return JSON.parse(outcome.stdout) as T;
}

/** A scratch folder that is gone when the file's tests are done. */
export async function scratch(name: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `bootproof-e2e-${name}-`));
  await chmod(folder, 0o755);
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Changes one bit of a file in place, also of one that is read-only. */
export async function flipBit(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at]! ^= 1;
  await chmod(file, 0o644);
  await writeFile(file, bytes);
}

/** A recipe with one step and one output, built from the smallest toolchain. */
export interface Probe {
  readonly name: string;
  /** The script of its one step; it leaves the file `result`. */
  readonly run: string;
  /** Files beside the recipe that appear in /source. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes a probe's recipe into a folder of its own under `parent` and locks it; returns the recipe's path. */
export async function writeProbe(parent: string, probe: Probe, options: RunOptions = {}): Promise<string> {
  const folder = path.join(parent, probe.name);
  await mkdir(folder, { recursive: true });
  const files = Object.entries(probe.files ?? {});
  for (const [name, text] of files) await writeFile(path.join(folder, name), text);
  const recipe = path.join(folder, `${probe.name}.recipe.yaml`);
  const script = probe.run
    .trim()
    .split("\n")
    .map((line) => `      ${line}`)
    .join("\n");
  const lines = [
    `name: ${probe.name}`,
    'version: "1"',
    ...(files.length > 0 ? ["source:", ...files.map(([name]) => `  - file: ${name}`)] : []),
    "toolchain:",
    "  suite: trixie",
    "  packages: [bash, coreutils, hostname]",
    "steps:",
    "  - name: probe",
    "    run: |",
    script,
    "outputs:",
    "  result: {path: result, kind: file}",
  ];
  await writeFile(recipe, `${lines.join("\n")}\n`);
  const lock = await bootproof(["lock", recipe], options);
  if (lock.exitCode !== 0) throw new Error(`lock: exit ${lock.exitCode ?? "?"}\n${lock.stderr}`);
  return recipe;
}
