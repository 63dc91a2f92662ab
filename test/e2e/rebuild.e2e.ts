import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bootproof, bootproofJson, scratch, writeProbe, type RunOptions } from "./command.ts";

interface Rebuilt {
  readonly verdict: string;
  readonly confirmation?: string;
}

/** A release of a probe, and how to come to it as a stranger: other folder, empty store. */
interface Release {
  readonly folder: string;
  readonly bundle: string;
  readonly policy: string;
  readonly stranger: RunOptions;
}

async function release(
  parent: string,
  name: string,
  run: string,
  files?: Record<string, string>,
): Promise<Release> {
  const recipe = await writeProbe(parent, { name, run, ...(files ? { files } : {}) });
  const folder = path.join(parent, name);
  const out = path.join(folder, "out");
  const released = await bootproof(["release", recipe, "--out", out]);
  if (released.exitCode !== 0) throw new Error(released.stderr);
  const entries = await readdir(out);
  const pick = (suffix: string): string =>
    path.join(
      out,
      entries.find((entry) => entry.endsWith(suffix))!,
    );
  const elsewhere = path.join(parent, `${name}-elsewhere`);
  await mkdir(elsewhere);
  return {
    folder,
    bundle: pick(".tlog-proof"),
    policy: pick(".policy.yaml"),
    stranger: { cwd: elsewhere, env: { BOOTPROOF_STORE: path.join(elsewhere, "store") } },
  };
}

describe("rebuild: a stranger's verdict, also when it is unwelcome", () => {
  let parent: string;
  beforeAll(async () => {
    parent = await scratch("rebuild");
  });

  const rebuild = (given: Release, exitCode: number, ...more: string[]): Promise<Rebuilt> =>
    bootproofJson<Rebuilt>(
      ["rebuild", given.bundle, "--policy", given.policy, ...more],
      exitCode,
      given.stranger,
    );

  it("IDENTICAL on a machine with an empty store, with a signed confirmation that can be logged", async () => {
    const given = await release(parent, "same", "cat /source/word > result", { word: "the same\n" });
    const log = path.join(parent, "confirmations-log");
    const result = await rebuild(given, 0, "--submit", "--log", log);
    expect(result.verdict).toBe("IDENTICAL");
    const audit = await bootproof(["log", "audit", "--log", log]);
    expect(audit.exitCode, audit.stderr).toBe(0);
    expect(await readFile(path.join(log, "checkpoint"), "utf8")).toMatch(/^[^\n]+\n1\n/);
  });

  it("DIVERGED, exit 1, and still logged, when the build does not repeat", async () => {
    const given = await release(parent, "random", "head -c 16 /dev/urandom > result");
    const log = path.join(parent, "negative-log");
    const result = await rebuild(given, 1, "--submit", "--log", log);
    expect(result.verdict).toBe("DIVERGED");
    expect(await readFile(path.join(log, "checkpoint"), "utf8")).toMatch(/^[^\n]+\n1\n/);
  });

  it("BUILD-FAILED, exit 2, when it does not build here", async () => {
    // It fails on the second machine alone: the first one leaves half of all builds to chance, until one passes.
    const run = "test $(od -An -N1 -tu1 /dev/urandom) -lt 128\necho built > result";
    let given: Release | undefined;
    for (let attempt = 0; given === undefined && attempt < 12; attempt++)
      given = await release(parent, `chance-${attempt}`, run).catch(() => undefined);
    let verdict = "";
    for (let attempt = 0; verdict !== "BUILD-FAILED" && attempt < 12; attempt++) {
      const outcome = await bootproof(
        ["rebuild", given!.bundle, "--policy", given!.policy, "--json"],
        given!.stranger,
      );
      verdict = (JSON.parse(outcome.stdout) as Rebuilt).verdict;
      expect(outcome.exitCode).toBe(verdict === "BUILD-FAILED" ? 2 : 0);
    }
    expect(verdict).toBe("BUILD-FAILED");
  });

  it("INPUTS-MISSING, exit 2, naming the file, when one byte of a source was changed", async () => {
    const given = await release(parent, "changed", "cat /source/word > result", { word: "as published\n" });
    const copy = path.join(parent, "changed-copy");
    await cp(path.join(given.folder, "out"), copy, { recursive: true });
    await writeFile(path.join(given.folder, "word"), "as publishes\n");
    // Every copy of the source that travels with the bundle is changed as well.
    for (const name of await readdir(path.join(copy, "materials/sha256"))) {
      const file = path.join(copy, "materials/sha256", name);
      const text = await readFile(file, "utf8");
      if (text === "as published\n") await writeFile(file, "as publishes\n");
    }
    const bundle = path.join(copy, path.basename(given.bundle));
    const outcome = await bootproof(["rebuild", bundle, "--policy", given.policy, "--json"], given.stranger);
    expect(outcome.exitCode, outcome.stdout + outcome.stderr).toBe(2);
    expect((JSON.parse(outcome.stdout) as Rebuilt).verdict).toBe("INPUTS-MISSING");
    expect(outcome.stdout + outcome.stderr).toMatch(/word/);
  });

  it("INPUTS-MISSING, saying where it looked, when recipe and lock are nowhere", async () => {
    const given = await release(parent, "alone", "echo alone > result");
    const alone = path.join(parent, "alone-copy.tlog-proof");
    await cp(given.bundle, alone);
    const outcome = await bootproof(["rebuild", alone, "--policy", given.policy, "--json"], given.stranger);
    expect(outcome.exitCode, outcome.stdout + outcome.stderr).toBe(2);
    expect((JSON.parse(outcome.stdout) as Rebuilt).verdict).toBe("INPUTS-MISSING");
    const found = await bootproofJson<Rebuilt>(
      ["rebuild", alone, "--policy", given.policy, "--from", path.join(given.folder, "out/materials")],
      0,
      given.stranger,
    );
    expect(found.verdict).toBe("IDENTICAL");
  });
});
