import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import {
  BOOTPROOF,
  bootproof,
  bootproofJson,
  type Failure,
  type Outcome,
  scratch,
  writeProbe,
} from "./command.ts";
import { ANSWERS, inMounts, serveMirror } from "./mirror.ts";

const SIZE = 300_000;
const RESULT = "word\n".repeat(SIZE / 5);

describe("a machine that fails: nothing half true, and always the next command", () => {
  let folder: string;
  let recipe: string;
  let large: string;
  let mirror: string;

  beforeAll(async () => {
    folder = await scratch("machine");
    recipe = await writeProbe(folder, { name: "plain", run: `yes word | head -c ${SIZE} > result || true` });
    large = await writeProbe(folder, { name: "large", run: "head -c 200000000 /dev/zero > result" });
    const built = await bootproof(["build", recipe]);
    expect(built.exitCode, built.stderr).toBe(0);
    mirror = await serveMirror(recipe.replace(".recipe.", ".lock."), ANSWERS.truth);
  });

  const resultIn = (out: string): Promise<string> => readFile(path.join(out, "result"), "utf8");

  describe("with a full disk", () => {
    /** Runs two commands with a file system of so many MiB at `at`; what the first said, and how the second ended. */
    async function onSmallDisk(
      at: string,
      size: number,
      first: string,
      second: string,
    ): Promise<{ first: Outcome; second: string }> {
      await mkdir(at, { recursive: true });
      const script = `${first}; first=$?; ${second} >&2; echo "second $?" >&2; exit $first`;
      const outcome = await inMounts(`mount -t tmpfs -o size=${size}m none ${at}`, ["sh", "-c", script]);
      return { first: outcome, second: /^second (\d+)$/m.exec(outcome.stderr)?.[1] ?? outcome.stderr };
    }

    it.each([
      ["downloads", 4],
      ["unpacking", 20],
      ["steps", 100],
    ])("at the %s: says so, exits 74 and leaves a store that verifies", async (name, size) => {
      const store = path.join(folder, `small-${name}`);
      const built = name === "steps" ? large : recipe;
      const { first, second } = await onSmallDisk(
        store,
        size,
        `${BOOTPROOF} build ${built} --store ${store} --mirror ${mirror} --json`,
        `${BOOTPROOF} store verify --store ${store}`,
      );
      expect(first.exitCode, first.stdout + first.stderr).toBe(74);
      const { error } = JSON.parse(first.stdout) as Failure;
      expect(error.message + (error.hint ?? "")).toMatch(/space|full/);
      expect(error.hint).toMatch(/store gc|BOOTPROOF_STORE/);
      expect(second).toBe("0");
    });

    it("at the results: exits 74, and no half of a result is left", async () => {
      const out = path.join(folder, "small-out");
      const { first, second } = await onSmallDisk(
        out,
        1,
        `head -c 900000 /dev/zero > ${out}/other; ${BOOTPROOF} build ${recipe} --out ${out}`,
        `test "$(ls -A ${out})" = other`,
      );
      expect(first.exitCode, first.stderr).toBe(74);
      expect(first.stderr).toMatch(/disk is full/);
      expect(second).toBe("0");
    });
  });

  it("resumes after kill -9 at any moment: the next build is right and nothing is half-written", async () => {
    const store = path.join(folder, "killed");
    const out = path.join(folder, "killed-out");
    const args = ["build", recipe, "--store", store, "--mirror", mirror, "--out", out];
    for (const delay of [300, 500, 700, 1000, 1400, 1900]) {
      const child = execa(BOOTPROOF, args, { reject: false, stdin: "ignore" });
      setTimeout(() => child.kill("SIGKILL"), delay);
      await child;
      expect(await resultIn(out).catch(() => RESULT)).toBe(RESULT);
    }
    const built = await bootproof([...args, "--no-cache"]);
    expect(built.exitCode, built.stderr).toBe(0);
    expect(await resultIn(out)).toBe(RESULT);
    const check = await bootproof(["store", "verify", "--store", store]);
    expect(check.exitCode, check.stdout).toBe(0);
    // The work of the killed builds is gone as well.
    expect(await readdir(path.join(store, "work"))).toEqual([]);
    expect((await readdir(path.join(store, "roots"))).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual(
      [],
    );
  });

  it("builds the same action in two processes at once on an empty store, both right", async () => {
    const store = path.join(folder, "shared");
    const outs = ["one", "two"].map((name) => path.join(folder, name));
    const args = ["build", recipe, "--store", store, "--mirror", mirror, "--no-cache"];
    const outcomes = await Promise.all(outs.map((out) => bootproof([...args, "--out", out])));
    for (const { exitCode, stderr } of outcomes) expect(exitCode, stderr).toBe(0);
    for (const out of outs) expect(await resultIn(out)).toBe(RESULT);
    const check = await bootproof(["store", "verify", "--store", store]);
    expect(check.exitCode, check.stdout).toBe(0);
    expect(await readdir(path.join(store, "roots"))).toHaveLength(1);
  });

  it("collects the store: what was built is still known without packages and toolchain, then all goes", async () => {
    const store = path.join(folder, "collected");
    const args = ["build", recipe, "--store", store, "--mirror", mirror];
    const build = (...more: string[]): Promise<{ actions: { cached: boolean }[] }> =>
      bootproofJson([...args, ...more], 0);
    await build();
    const gc = (
      ...more: string[]
    ): Promise<{ removed: number; roots: number; logs: number; bytesFreed: number }> =>
      bootproofJson(["store", "gc", "--store", store, ...more], 0);
    expect(await gc()).toMatchObject({ removed: 0, roots: 0, logs: 0 });
    const collected = await gc("--older-than", "0");
    expect(collected).toMatchObject({ roots: 1, logs: 1 });
    expect(collected.removed).toBeGreaterThan(20);
    expect(collected.bytesFreed).toBeGreaterThan(30_000_000);
    expect((await build("--offline")).actions.map(({ cached }) => cached)).toEqual([true]);
    expect((await build("--no-cache")).actions.map(({ cached }) => cached)).toEqual([false]);
    await gc("--all");
    const { stdout } = await execa("find", [store, "-type", "f"]);
    expect(stdout).toBe("");
    expect((await build()).actions.map(({ cached }) => cached)).toEqual([false]);
  });

  it("says which key it cannot read and what to do, and has published nothing", async () => {
    const locked = path.join(folder, "locked.key");
    await writeFile(locked, "");
    await chmod(locked, 0o600);
    const out = path.join(folder, "keyless");
    const release = (key: string): string[] => ["release", recipe, "--out", out, "--key", key, "--no-input"];
    const outcomes = [
      await bootproof(release(path.join(folder, "absent.key"))),
      await bootproof(release(folder)),
      await asOrdinaryUser(["key", "show", locked], folder),
    ];
    for (const { exitCode, stderr } of outcomes) {
      expect(exitCode, stderr).toBe(66);
      expect(stderr).toMatch(/key/);
      expect(stderr).toMatch(/hint:/);
      expect(stderr).not.toMatch(/\bat .*\.ts:\d+/);
    }
    await expect(stat(out)).rejects.toThrow("ENOENT");
  });

  it("builds as an ordinary user", async () => {
    const home = path.join(folder, "home");
    await mkdir(home);
    await execa("cp", ["-r", path.dirname(recipe), home]);
    if (process.getuid?.() === 0) await execa("chown", ["-R", "65534:65534", home]);
    const copy = path.join(home, "plain/plain.recipe.yaml");
    const out = path.join(home, "out");
    const outcome = await asOrdinaryUser(["build", copy, "--out", out, "--mirror", mirror], home);
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(await resultIn(out)).toBe(RESULT);
  });

  it("finds nothing here that keeps anyone from building", async () => {
    const { checks } = await bootproofJson<{ checks: { name: string; state: string }[] }>(["doctor"], 0);
    expect(checks.length).toBeGreaterThan(8);
    expect(checks.filter(({ state }) => state !== "ok" && state !== "warn")).toEqual([]);
  });
});

/** Runs `bootproof` as nobody when the tests run as root, with an environment of its own. */
async function asOrdinaryUser(args: readonly string[], home: string): Promise<Outcome> {
  const user =
    process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  const environment = ["env", "-i", `HOME=${home}`, `PATH=${process.env["PATH"] ?? ""}`];
  const [command = "", ...rest] = [...user, ...environment, BOOTPROOF, ...args];
  const { exitCode, stdout, stderr } = await execa(command, rest, { cwd: home, reject: false });
  return { exitCode, stdout, stderr };
}
