import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  bootproof,
  bootproofJson,
  type Failure,
  flipBit,
  scratch,
  writeProbe,
  type RunOptions,
} from "./command.ts";
import { serveFolder } from "./mirror.ts";

interface Rebuilt {
  readonly verdict: string;
  readonly reason?: string;
  readonly confirmation?: unknown;
}

/** A release of a probe, as its publisher left it. */
interface Release {
  readonly folder: string;
  readonly lock: string;
  readonly bundle: string;
  readonly policy: string;
}

/** Locks and releases a probe with the publisher's key. */
async function release(
  parent: string,
  name: string,
  run: string,
  files?: Record<string, string>,
): Promise<Release> {
  const recipe = await writeProbe(parent, { name, run, ...(files ? { files } : {}) });
  const folder = path.join(parent, name);
  const out = path.join(folder, "out");
  const env = { XDG_CONFIG_HOME: path.join(parent, "publisher") };
  const released = await bootproof(["release", recipe, "--out", out], { env });
  if (released.exitCode !== 0) throw new Error(released.stderr);
  const entries = await readdir(out);
  const pick = (suffix: string): string =>
    path.join(
      out,
      entries.find((entry) => entry.endsWith(suffix))!,
    );
  const lock = recipe.replace(".recipe.", ".lock.");
  return { folder, lock, bundle: pick(".tlog-proof"), policy: pick(".policy.yaml") };
}

describe("rebuild: a stranger's verdict, also when it is unwelcome", () => {
  let parent: string;
  /** The stranger's machine: another folder, store and key; the store is empty at first. */
  let stranger: RunOptions & { cwd: string };
  beforeAll(async () => {
    parent = await scratch("rebuild");
    const cwd = path.join(parent, "elsewhere");
    await mkdir(cwd);
    const env = { BOOTPROOF_STORE: path.join(cwd, "store"), XDG_CONFIG_HOME: path.join(cwd, "config") };
    stranger = { cwd, env };
  });

  const rebuild = (
    given: Pick<Release, "bundle" | "policy">,
    exitCode: number,
    ...more: string[]
  ): Promise<Rebuilt> =>
    bootproofJson<Rebuilt>(["rebuild", given.bundle, "--policy", given.policy, ...more], exitCode, stranger);

  it("IDENTICAL on a machine with an empty store, with a signed confirmation that can be logged", async () => {
    const given = await release(parent, "same", "tr a-z A-Z < /source/word > result", { word: "the same\n" });
    const log = path.join(parent, "confirmations-log");
    const result = await rebuild(given, 0, "--submit", "--log", log);
    expect(result.verdict).toBe("IDENTICAL");
    const audit = await bootproof(["log", "audit", "--log", log]);
    expect(audit.exitCode, audit.stderr).toBe(0);
    expect(await readFile(path.join(log, "checkpoint"), "utf8")).toMatch(/^[^\n]+\n1\n/);
    // It was built here, and would be again: what this machine remembers is no rebuild.
    const text = await bootproof(["rebuild", given.bundle, "--policy", given.policy], stranger);
    expect(text.exitCode, text.stderr).toBe(0);
    expect(text.stderr).toMatch(/probe done/);
  });

  it("DIVERGED, exit 1, and still logged, when the build does not repeat", async () => {
    const given = await release(parent, "random", "head -c 16 /dev/urandom > result");
    const log = path.join(parent, "negative-log");
    const result = await rebuild(given, 1, "--submit", "--log", log);
    expect(result.verdict).toBe("DIVERGED");
    expect(await readFile(path.join(log, "checkpoint"), "utf8")).toMatch(/^[^\n]+\n1\n/);
    const text = await bootproof(["rebuild", given.bundle, "--policy", given.policy], stranger);
    expect(text.stdout).toMatch(
      /DIVERGED +result +expected [0-9a-f]{64}, found [0-9a-f]{64} first at offset 0x/,
    );
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
        stranger,
      );
      const rebuilt = JSON.parse(outcome.stdout) as Rebuilt;
      verdict = rebuilt.verdict;
      expect(outcome.exitCode).toBe(verdict === "BUILD-FAILED" ? 2 : 0);
      if (verdict === "BUILD-FAILED") expect(rebuilt.reason).toMatch(/step probe failed/);
    }
    expect(verdict).toBe("BUILD-FAILED");
  });

  it("INPUTS-MISSING, exit 2, naming the file, when one byte of a source was changed", async () => {
    const given = await release(parent, "changed", "cat /source/word > result", { word: "as published\n" });
    const copy = path.join(parent, "changed-copy");
    await cp(path.join(given.folder, "out"), copy, { recursive: true });
    await writeFile(path.join(given.folder, "word"), "as publishes\n");
    // Every copy of the source that travels with the bundle is changed as well.
    let changed = 0;
    for (const name of await readdir(path.join(copy, "materials/sha256"))) {
      const file = path.join(copy, "materials/sha256", name);
      if ((await readFile(file, "utf8")) !== "as published\n") continue;
      await writeFile(file, "as publishes\n");
      changed++;
    }
    expect(changed).toBe(1);
    const bundle = path.join(copy, path.basename(given.bundle));
    const result = await rebuild({ bundle, policy: given.policy }, 2);
    expect(result.verdict).toBe("INPUTS-MISSING");
    expect(result.reason).toMatch(/word/);
  });

  it("INPUTS-MISSING where recipe and lock are nowhere; IDENTICAL with --from a folder or a URL that has them", async () => {
    const given = await release(parent, "alone", "tr a-z A-Z < /source/word > result", { word: "alone\n" });
    const alone = { bundle: path.join(parent, "alone-copy.tlog-proof"), policy: given.policy };
    await cp(given.bundle, alone.bundle);
    const missing = await rebuild(alone, 2);
    expect(missing.verdict).toBe("INPUTS-MISSING");
    expect(missing.reason).toMatch(/recipe/);
    const materials = path.join(given.folder, "out/materials");
    // A server that has something else under the name of what is asked for is as good as one that has nothing.
    const lies = path.join(parent, "lying-materials");
    await cp(materials, lies, { recursive: true });
    for (const name of await readdir(path.join(lies, "sha256")))
      await flipBit(path.join(lies, "sha256", name), 0);
    expect((await rebuild(alone, 2, "--from", await serveFolder(lies))).verdict).toBe("INPUTS-MISSING");
    const byUrl = await rebuild(alone, 0, "--from", await serveFolder(materials));
    expect(byUrl.verdict).toBe("IDENTICAL");
    // By now everything is in the store; another one is empty of recipe, lock and source, but has the packages.
    for (const name of await readdir(path.join(materials, "sha256")))
      await rm(path.join(stranger.env?.["BOOTPROOF_STORE"] ?? "", "blobs", name.slice(0, 2), name), {
        force: true,
      });
    expect((await rebuild(alone, 2)).verdict).toBe("INPUTS-MISSING");
    expect((await rebuild(alone, 0, "--from", materials)).verdict).toBe("IDENTICAL");
  });

  it("no verdict on the release, and no confirmation, when this machine is at fault", async () => {
    const given = await release(parent, "faultless", "echo fine > result");
    const out = path.join(parent, "no-confirmation");
    const args = ["rebuild", given.bundle, "--policy", given.policy, "--out", out];
    // A key that cannot be read is found before the build.
    const keyless = await bootproof([...args, "--key", parent], stranger);
    expect(keyless.exitCode, keyless.stderr).toBe(66);
    expect(keyless.stderr).not.toMatch(/probe/);
    // A damaged package in the store is not the release's fault, nor a mirror's.
    const store = stranger.env?.["BOOTPROOF_STORE"] ?? "";
    const [, hex = ""] = / coreutils .*([0-9a-f]{64})/.exec(await readFile(given.lock, "utf8")) ?? [];
    await flipBit(path.join(store, "blobs", hex.slice(0, 2), hex), 100_000);
    await rm(path.join(store, "roots"), { recursive: true });
    const { error } = await bootproofJson<Failure>(args, 65, stranger);
    expect(error.code).toBe("BP-INPUT-007");
    await expect(readdir(out)).rejects.toThrow("ENOENT");
  });
});
