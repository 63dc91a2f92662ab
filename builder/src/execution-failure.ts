/**
 * Why a run did not end well, in the user's words: which step, its status, what it said last, and what to do.
 * @module
 */
import { lstat, open } from "node:fs/promises";
import { join } from "node:path";
import type { PreparedAction } from "./action.ts";
import { BuildError } from "./build-error.ts";
import type { BuildLimits } from "./control-group.ts";
import type { SandboxEnd } from "./sandbox.ts";

const LAST_LINES = 40;
const LAST_BYTES = 256 * 1024;
/** Below this much free space a failure is most likely the full disk's. */
const FULL_DISK = 96 * 1024 * 1024;

/** make's remarks on files younger than the fixed clock: harmless, and enough of them would hide what went wrong. */
const CLOCK_SKEW = /^make(?:\[[0-9]+\])?: [Ww]arning: +(?:File .* in the future|Clock skew detected)/;

/** What the machine said at the end. */
export interface EndOfRun {
  readonly outOfMemory: boolean;
  readonly free: number;
  readonly limits: BuildLimits;
}

/** The error for a run that did not end well. */
export async function describeEnd(
  end: Exclude<SandboxEnd, { kind: "done" }>,
  action: PreparedAction,
  log: string,
  machine: EndOfRun,
): Promise<BuildError> {
  const lines = await lastLines(log);
  const detail = { file: log, issues: lines };
  const said = lines.length === 0 ? "" : `\n${lines.map((line) => `  | ${line}`).join("\n")}\n`;
  const place = `log: ${log}`;
  if (end.kind === "not-set-up")
    return new BuildError(
      "BP-SANDBOX-001",
      `the sandbox cannot be made on this machine${said || ": no reason given"}`,
      {
        ...detail,
        hint: "bootproof doctor names what is missing and the command that fixes it",
      },
    );
  if (end.kind === "killed") return describeKill(end.why, action, detail, machine);
  const step = action.steps[end.step - 1] ?? "before the first step";
  if (machine.outOfMemory)
    return new BuildError("BP-BUILD-007", `step ${step} needs more memory than the limit${said}${place}`, {
      ...detail,
      expected: `at most ${machine.limits.memory} bytes`,
      hint: "build on a machine with more memory, or one component at a time with --jobs 1",
    });
  if (machine.free < FULL_DISK)
    return new BuildError("BP-BUILD-006", `step ${step} failed, and the disk is full${said}${place}`, {
      ...detail,
      found: `${machine.free} bytes free`,
      hint: "free some space, or put the store on a larger disk with BOOTPROOF_STORE; then run it again",
    });
  if (end.kind === "broke-off")
    return new BuildError("BP-BUILD-001", `the build broke off in step ${step}${said}${place}`, {
      ...detail,
      found: end.status === undefined ? "killed by a signal" : `exit status ${end.status}`,
    });
  return new BuildError("BP-BUILD-001", `step ${step} failed with exit status ${end.status}${said}${place}`, {
    ...detail,
    found: `exit status ${end.status}`,
  });
}

function describeKill(
  why: Extract<SandboxEnd, { kind: "killed" }>["why"],
  action: PreparedAction,
  detail: { file: string; issues: readonly string[] },
  { free, limits }: EndOfRun,
): BuildError {
  switch (why) {
    case "time":
      return new BuildError("BP-BUILD-002", "the build took longer than the limit", {
        ...detail,
        expected: `at most ${action.timeoutSeconds} seconds`,
      });
    case "log":
      return new BuildError("BP-BUILD-003", "the build's log is larger than the limit", {
        ...detail,
        expected: `at most ${limits.logSize} bytes`,
      });
    case "disk":
      return new BuildError("BP-BUILD-006", "the build was stopped because the disk is almost full", {
        ...detail,
        found: `${free} bytes free`,
        hint: "free some space, or put the store on a larger disk with BOOTPROOF_STORE; then run it again",
      });
    case "signal":
      return new BuildError("BP-BUILD-005", "the build was stopped", detail);
  }
}

/** The last lines of a log, less make's remarks on the clock and the control characters that would move a terminal's cursor. */
export async function lastLines(log: string, count: number = LAST_LINES): Promise<string[]> {
  const handle = await open(log, "r");
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, LAST_BYTES);
    const { buffer } = await handle.read({
      buffer: new Uint8Array(length),
      position: size - length,
      length,
    });
    const lines = new TextDecoder()
      .decode(buffer)
      .split("\n")
      .map((line) => line.replace(/.*\r(?=.)/, "").replace(/[\0-\x08\x0b-\x1f\x7f]/g, ""));
    if (lines.at(-1) === "") lines.pop();
    return lines.filter((line) => !CLOCK_SKEW.test(line)).slice(-count);
  } finally {
    await handle.close();
  }
}

/** Throws {@link BuildError} BP-BUILD-004 unless `path` below `folder` is a regular file reached without a link. */
export async function refuseLink(folder: string, path: string, name: string): Promise<void> {
  const refuse = (found: string): never => {
    throw new BuildError("BP-BUILD-004", `output ${name} is not there`, {
      file: path,
      expected: `a regular file at ${path} in the build folder`,
      found,
    });
  };
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    if (part === "" || part === "." || part === "..") refuse(`a path with "${part}"`);
    const above = parts.slice(0, index + 1).join("/");
    const found = await lstat(join(folder, above)).catch(() => undefined);
    const last = index === parts.length - 1;
    if (found === undefined) return refuse("nothing");
    if (found.isSymbolicLink()) refuse(`a link at ${above}`);
    if (last ? !found.isFile() : !found.isDirectory())
      refuse(found.isDirectory() ? `a directory at ${above}` : `no directory at ${above}`);
  }
}
