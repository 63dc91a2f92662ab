import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseUtf8 } from "@bootproof/bytes";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listRememberedBlobs } from "./action-cache.ts";
import { buildRecipe, type BuildEvent, type BuildOptions, type BuildResult } from "./build.ts";
import { openTestStore, steps, testRecipe } from "./host-toolchain.testing.ts";
import type { BuildStore } from "./toolchain-root.ts";

let folder: string;
let store: BuildStore;
let events: BuildEvent[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootproof-build-"));
  // Ordinary users may build too, and the store of a build that runs as root must not need root.
  chmodSync(folder, 0o755);
  store = await openTestStore(folder);
});
beforeEach(() => {
  events = [];
});
afterAll(() => rmSync(folder, { recursive: true }));

const build = (rest: string, options: Partial<BuildOptions> = {}): Promise<BuildResult> =>
  buildRecipe(testRecipe(rest), {
    store,
    inputs: { offline: true },
    onEvent: (event) => events.push(event),
    ...options,
  });

/** What a step wrote to `out`. */
async function outputOf(run: string, options?: Partial<BuildOptions>): Promise<string> {
  const { outputs } = await build(steps(run), options);
  const bytes = await store.blobs.get(outputs["out"]?.sha256 ?? "");
  return parseUtf8(bytes ?? new Uint8Array(), "out");
}

describe("inside a step", () => {
  it("there is no network", async () => {
    const text = await outputOf("cat /proc/net/dev > out");
    expect(text.match(/^ *[a-z0-9]+:/gm)?.map((name) => name.trim())).toEqual(["lo:"]);
  });

  it("there are the standard user, host name, folder, umask and environment", async () => {
    const text = await outputOf(
      'echo "$(id -u):$(id -g) $(cat /proc/sys/kernel/hostname) $PWD $(umask)" > out; env >> out',
    );
    const [first = "", ...environment] = text.trimEnd().split("\n");
    expect(first).toBe("1000:1000 bootproof /build 0022");
    const names = environment.map((line) => line.split("=")[0]).sort();
    expect(names).toEqual(
      [
        ...["FAKETIME", "FAKETIME_DISABLE_SHM", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_FMT"],
        ...["HOME", "LC_ALL", "LD_PRELOAD", "NO_FAKE_STAT", "PATH", "PWD", "SHLVL"],
        ...["SOURCE_DATE_EPOCH", "TZ", "_"],
      ].sort(),
    );
  });

  it("no file of this machine can be reached, by path, by process or by an open descriptor", async () => {
    writeFileSync(join(folder, "secret"), "secret of this machine");
    const text = await outputOf(
      [
        `{ ls ${folder} /.old /root /home/*; ls /proc/1/root/; ls / ; } > out 2> /dev/null || true`,
        "for fd in /proc/self/fd/*; do echo ${fd##*/} >> fds; done",
        `cat ${folder}/secret >> out 2> /dev/null || cat fds >> out`,
      ].join("\n"),
    );
    expect(text.split("\n").filter((line) => line !== "")).toEqual([
      ...["bin", "build", "dev", "etc", "lib", "lib64", "proc", "sbin", "source", "tmp", "usr"],
      // 3 is the shell's own, on the directory that it lists; 255 is the script it runs.
      ...["0", "1", "2", "255", "3"],
    ]);
  });

  it("no capability is left, and none can be had", async () => {
    const text = await outputOf("cat /proc/self/status > out");
    expect(text).toMatch(/^CapEff:\t0+$/m);
    expect(text).toMatch(/^CapPrm:\t0+$/m);
    expect(text).toMatch(/^NoNewPrivs:\t1$/m);
  });

  it("sources cannot be changed", async () => {
    expect(await outputOf("touch /source/new 2> /dev/null || echo refused > out")).toBe("refused\n");
  });

  it("the root can be changed, and the next build does not see it", async () => {
    const run =
      "ls /usr/bin > out; echo x > /usr/bin/left-behind; cp /usr/bin/cat /usr/bin/cp 2> /dev/null || true";
    const first = await outputOf(run, { noCache: true });
    expect(await outputOf(run, { noCache: true })).toBe(first);
    expect(first).not.toContain("left-behind");
  });

  it("each step starts in the build folder, with a fresh shell", async () => {
    const rest = [
      "steps:",
      '  - {name: one, run: "mkdir a; cd a; x=1; echo one > ../out"}',
      '  - {name: two, run: "echo $PWD ${x-unset} >> out"}',
      "outputs: {out: {path: out, kind: file}}",
    ].join("\n");
    const { outputs } = await build(rest);
    const bytes = await store.blobs.get(outputs["out"]?.sha256 ?? "");
    expect(parseUtf8(bytes ?? new Uint8Array(), "out")).toBe("one\n/build unset\n");
  });
});

describe("a build", () => {
  it("reports each step, and keeps what the steps say", async () => {
    const { components } = await build(steps("echo said; echo also >&2; echo x > out"));
    expect(
      events
        .map(({ step, state }) => `${step ?? "all"} ${state}`)
        .filter((line) => !line.includes("progress")),
    ).toEqual([
      "inputs start",
      "inputs done",
      "toolchain start",
      "toolchain done",
      "only start",
      "only done",
      "all done",
    ]);
    const log = await store.blobs.get(components[0]?.log.sha256 ?? "");
    expect(parseUtf8(log ?? new Uint8Array(), "log")).toMatch(/^==> step 1-only\n[^]*said\n[^]*also\n/m);
    expect(readFileSync(events.at(-2)?.logPath ?? "", "utf8")).toContain("said\n");
  });

  it("is not done twice", async () => {
    const recipe = steps("cat /proc/sys/kernel/random/uuid > out");
    const first = await build(recipe);
    const again = await build(recipe);
    expect(again.outputs).toEqual(first.outputs);
    expect(again.components[0]?.cached).toBe(true);
    expect(events.at(-1)).toMatchObject({ step: undefined, state: "cached" });
  });

  it("is done again when an output in the store is damaged", async () => {
    const recipe = steps("echo damaged-output > out");
    const { outputs } = await build(recipe);
    const path = store.blobs.path(outputs["out"]?.sha256 ?? "");
    chmodSync(path, 0o644);
    appendFileSync(path, "x");
    const again = await build(recipe);
    expect(again.components[0]?.cached).toBe(false);
    expect(again.outputs).toEqual(outputs);
    expect(readFileSync(path, "utf8")).toBe("damaged-output\n");
  });

  it("unpacks its toolchain again when the kept one was changed, and says so", async () => {
    const recipe = steps("cat /etc/passwd > out");
    const { outputs } = await build(recipe);
    const [root = ""] = readdirSync(join(folder, "roots"));
    appendFileSync(join(folder, "roots", root, "etc/passwd"), "evil:x:0:0:::\n");
    expect((await build(recipe, { noCache: true })).outputs).toEqual(outputs);
    expect(events.find(({ detail }) => detail?.includes("was changed"))?.detail).toContain("etc/passwd");
  });

  it("keeps every blob that a collection must not take", async () => {
    const { outputs, components } = await build(steps("echo kept > out"));
    const kept = await listRememberedBlobs(store.refs);
    expect(kept).toContain(outputs["out"]?.sha256);
    expect(kept).toContain(components[0]?.log.sha256);
  });
});

describe("a build that fails", () => {
  it("names the step, its status and its last 40 lines", async () => {
    const error: unknown = await build(steps("for i in {1..60}; do echo line $i; done; exit 7")).catch(
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({ code: "BP-BUILD-001", found: "exit status 7" });
    const { message, issues, file } = error as { message: string; issues: string[]; file: string };
    expect(message).toContain("step only failed with exit status 7");
    expect(message).toContain("line 60\n");
    expect(message).toContain(`log: ${file}`);
    expect(issues).toHaveLength(40);
  });

  it("stops at the first command that fails, in a pipe or with an unset variable too", async () => {
    for (const run of ["false; echo x > out", "false | cat; echo x > out", "echo $unset; echo x > out"])
      await expect(build(steps(run))).rejects.toMatchObject({ code: "BP-BUILD-001" });
  });

  it("shows no control characters of what the step wrote", async () => {
    const error: unknown = await build(steps("echo -e '\\e[2Jwiped\\a'; exit 1")).catch(
      (cause: unknown) => cause,
    );
    expect((error as Error).message).toContain("[2Jwiped");
    expect((error as Error).message).not.toContain("\u001b");
  });

  it("shows what make said, and not its remarks on the clock, which would hide it", async () => {
    const remarks = [
      "make[2]: Warning: File 'x' has modification time 9 s in the future",
      "make: warning:  Clock skew detected.  Your build may be incomplete.",
    ];
    const said = remarks.map((remark) => `echo "${remark}"`).join("; ");
    const run = `echo "make: *** no rule"; for i in {1..60}; do ${said}; done; exit 2`;
    const error: unknown = await build(steps(run)).catch((cause: unknown) => cause);
    expect((error as Error).message).toContain("make: *** no rule");
    expect((error as Error).message).not.toContain("in the future");
  });

  it.each([
    ["nothing", "true", "nothing"],
    ["a link to a file of the machine", "ln -s /etc/passwd out", "a link at out"],
    ["a directory", "mkdir out", "a directory at out"],
  ])("leaves %s where an output should be: refused", async (_, run, found) => {
    await expect(build(steps(run))).rejects.toMatchObject({ code: "BP-BUILD-004", found });
  });

  it("leads to an output through a linked directory: refused", async () => {
    const rest = steps("ln -s /etc d", "out: {path: d/passwd, kind: file}");
    await expect(build(rest)).rejects.toMatchObject({ code: "BP-BUILD-004", found: "a link at d" });
  });

  it.each<[string, string, Partial<BuildOptions>, string]>([
    ["time", "sleep 60", { timeoutSeconds: 1 }, "BP-BUILD-002"],
    [
      "log",
      "while true; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
      { limits: { logSize: 2 ** 16 } },
      "BP-BUILD-003",
    ],
    ["a file", "head -c 200000 /dev/zero > out", { limits: { fileSize: 100_000 } }, "BP-BUILD-001"],
    ["an output", "head -c 200000 /dev/zero > out", { limits: { outputSize: 100_000 } }, "BP-BUILD-004"],
    [
      "changes to the root",
      "head -c 20000000 /dev/zero > /usr/x",
      { limits: { scratch: 10_000_000 } },
      "BP-BUILD-001",
    ],
  ])("is over the limit of %s", async (_, run, options, code) => {
    await expect(build(steps(run), options)).rejects.toMatchObject({ code });
  });

  it("leaves nothing in its work folder, whatever it left there", async () => {
    await expect(
      build(steps("mkdir -m 0 a; mkdir -p b/c; touch b/c/d; chmod 0 b/c b || true; exit 1")),
    ).rejects.toThrow();
    expect(readdirSync(join(folder, "work"))).toEqual([]);
  });
});

describe("a build that is stopped", () => {
  it("ends with everything it started", async () => {
    const stop = new AbortController();
    const building = build(steps("sleep 3213 & sleep 3213"), {
      signal: stop.signal,
      onEvent: ({ step, state }) => {
        if (step === "only" && state === "start") stop.abort();
      },
    });
    await expect(building).rejects.toMatchObject({ code: "BP-BUILD-005" });
    expect(await countProcesses("sleep\x003213\x00")).toBe(0);
  });

  it("by SIGKILL ends with everything it started, and the next build cleans up after it", async () => {
    const script = writeScript(
      folder,
      folder,
      steps("sleep 3214 & sleep 3214"),
      `({ step, state }) => { if (step === "only" && state === "start") console.log("started"); }`,
    );
    const child = spawn(process.execPath, ["--conditions=@bootproof/source", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    for (let tries = 0; tries < 100 && (await countProcesses("sleep\x003214\x00")) < 2; tries++)
      await sleep(20);
    expect(await countProcesses("sleep\x003214\x00")).toBe(2);
    child.kill("SIGKILL");
    await once(child, "close");
    for (let tries = 0; tries < 100 && (await countProcesses("sleep\x003214\x00")) > 0; tries++)
      await sleep(20);
    expect(await countProcesses("sleep\x003214\x00")).toBe(0);
    expect(readdirSync(join(folder, "work"))).toHaveLength(1);
    await build(steps("echo after > out"), { noCache: true });
    expect(readdirSync(join(folder, "work"))).toEqual([]);
  });
});

const OTHER_USER = ["--reuid=1001", "--regid=1001", "--clear-groups"];

describe("as an ordinary user", () => {
  it("the same bytes come out under the same digest", async (test) => {
    if (process.getuid?.() !== 0) test.skip("the tests themselves run as an ordinary user");
    const readable = spawnSync("setpriv", [...OTHER_USER, "test", "-r", import.meta.filename]).status === 0;
    if (!readable) test.skip("no other user may read this clone");
    const run = "id -u > out; cat /proc/sys/kernel/hostname >> out";
    const { outputs, components } = await build(steps(run));
    const home = mkdtempSync(join(tmpdir(), "bootproof-user-"));
    const script = writeScript(home, join(home, "store"), steps(run), "() => {}");
    chmodSync(home, 0o777);
    try {
      const child = spawn(
        "setpriv",
        [...OTHER_USER, process.execPath, "--conditions=@bootproof/source", script],
        { stdio: ["ignore", "pipe", "inherit"], env: { PATH: process.env["PATH"], HOME: home } },
      );
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await once(child, "close");
      expect(JSON.parse(said)).toEqual([outputs, components[0]?.action.digest.hash, 1001]);
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});

/** Writes a program into `where` that builds a recipe in a store of its own process, and prints what came out. */
function writeScript(where: string, path: string, rest: string, onEvent: string): string {
  const script = join(where, "build.ts");
  const here = (name: string): string => JSON.stringify(join(import.meta.dirname, name));
  writeFileSync(
    script,
    `import { buildRecipe } from ${here("build.ts")};
    import { openTestStore, testRecipe } from ${here("host-toolchain.testing.ts")};
    const store = await openTestStore(${JSON.stringify(path)});
    const recipe = testRecipe(${JSON.stringify(rest)});
    const { outputs, components } = await buildRecipe(recipe, { store, inputs: { offline: true }, onEvent: ${onEvent} });
    console.log(JSON.stringify([outputs, components[0].action.digest.hash, process.getuid()]));`,
  );
  return script;
}

/** Processes of this machine whose command line is `line`, in NUL-ended words. */
async function countProcesses(line: string): Promise<number> {
  await sleep(10);
  return readdirSync("/proc").filter((pid) => {
    if (!/^[0-9]+$/.test(pid)) return false;
    try {
      return statSync(`/proc/${pid}`).isDirectory() && readFileSync(`/proc/${pid}/cmdline`, "utf8") === line;
    } catch {
      return false;
    }
  }).length;
}
