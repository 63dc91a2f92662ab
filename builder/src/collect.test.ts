import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildRecipe, type BuildEvent, type BuildOptions, type BuildResult } from "./build.ts";
import { collectLeftovers } from "./collect.ts";
import { openTestStore, steps, testRecipe } from "./host-toolchain.testing.ts";
import { claimPlaces, placesInUse } from "./places-in-use.ts";
import type { BuildStore } from "./toolchain-root.ts";
import { makeWorkFolder } from "./work-folder.ts";

const DAY = 24 * 60 * 60 * 1000;
const FAST = steps("echo made > out");

let folder: string;
let store: BuildStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootproof-collect-"));
  chmodSync(folder, 0o755);
  store = await openTestStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const build = (rest: string, options: Partial<BuildOptions> = {}): Promise<BuildResult> =>
  buildRecipe(testRecipe(rest), { store, inputs: { offline: true }, ...options });

const names = (below: string): string[] =>
  existsSync(join(folder, below)) ? readdirSync(join(folder, below)) : [];

describe("collecting leftovers: nothing goes that is needed, and nothing else stays for ever", () => {
  it("removes roots and logs that were last used too long ago, and the next build makes them anew", async () => {
    const { components } = await build(FAST);
    const { roots, logs, bytesFreed } = await collectLeftovers(store, { olderThanMs: 0 });
    expect({ roots, logs }).toEqual({ roots: 1, logs: 1 });
    expect(bytesFreed).toBeGreaterThan(1_000_000);
    expect([...names("roots"), ...names("logs"), ...names("work")]).toEqual([]);
    // What was built is recalled without them.
    expect((await build(FAST)).components[0]?.cached).toBe(true);
    const again = await build(FAST, { noCache: true });
    expect(again.components[0]?.outputs).toEqual(components[0]?.outputs);
    expect(names("roots")).toHaveLength(1);
  });

  it("keeps what was used lately", async () => {
    await build(FAST);
    const before = [names("roots"), names("logs")];
    expect(await collectLeftovers(store, { olderThanMs: DAY })).toEqual({ roots: 0, logs: 0, bytesFreed: 0 });
    expect([names("roots"), names("logs")]).toEqual(before);
  });

  it("takes nothing from a build that is running", async () => {
    let collected: Promise<unknown> | undefined;
    const onEvent = ({ step, state }: BuildEvent): void => {
      if (step === "only" && state === "start") collected = collectLeftovers(store, { olderThanMs: 0 });
    };
    const run = "echo begun; sleep 1; /usr/bin/cat /usr/bin/cat > out; echo ended";
    const { components } = await build(steps(run), { onEvent });
    expect(await collected).toEqual({ roots: 0, logs: 0, bytesFreed: 0 });
    const log = await store.blobs.get(components[0]?.log.sha256 ?? "");
    expect(Buffer.from(log ?? []).toString()).toMatch(/begun\nended/);
  });

  it("removes what a killed build left, and old halves of downloads of dead processes", async () => {
    const { pid } = spawnSync("true");
    mkdirSync(join(folder, "partial"), { recursive: true });
    const [dead, alive, young] = [pid, process.ppid, pid].map((owner, index) => {
      const path = join(folder, "partial", `${String(index).repeat(64)}.${owner}.1`);
      writeFileSync(path, "half");
      return path;
    });
    for (const path of [dead, alive]) utimesSync(path ?? "", new Date(0), new Date(0));
    expect(await collectLeftovers(store, { olderThanMs: DAY })).toEqual({ roots: 0, logs: 0, bytesFreed: 4 });
    expect([dead, alive, young].map((path) => existsSync(path ?? ""))).toEqual([false, true, true]);
  });

  it("need not find anything", async () => {
    expect(await collectLeftovers({ path: join(folder, "absent") }, { olderThanMs: 0 })).toEqual({
      roots: 0,
      logs: 0,
      bytesFreed: 0,
    });
  });
});

describe("two builds of the same action at once", () => {
  it("each have a log and outputs of their own", async () => {
    const run = "echo $RANDOM$RANDOM; sleep 1; echo made > out";
    const logs = new Set<string>();
    const both = await Promise.all(
      [0, 1].map(() =>
        build(steps(run), {
          noCache: true,
          onEvent: ({ logPath }) => logPath !== undefined && logs.add(logPath),
        }),
      ),
    );
    expect(logs.size).toBe(2);
    expect(both[0]?.outputs).toEqual(both[1]?.outputs);
    const kept = await Promise.all(
      both.map(({ components }) => store.blobs.get(components[0]?.log.sha256 ?? "")),
    );
    const texts = [...logs].map((path) => readFileSync(path, "utf8"));
    expect(kept.map((bytes) => Buffer.from(bytes ?? []).toString()).sort()).toEqual(texts.sort());
  });
});

describe("places in use", () => {
  it("are those of builds that run, but not one's own", async () => {
    const works = join(folder, "work");
    const [mine, other, silent] = [
      await makeWorkFolder(works),
      await makeWorkFolder(works),
      await makeWorkFolder(works),
    ];
    await claimPlaces(mine, ["logs/mine.log"]);
    await claimPlaces(other, ["logs/first.log"]);
    await claimPlaces(other, ["roots/r", "logs/other.log"]);
    expect(readdirSync(silent)).toEqual([]);
    expect(await placesInUse(works, mine)).toEqual(new Set(["roots/r", "logs/other.log"]));
    expect(await placesInUse(works)).toEqual(new Set(["logs/mine.log", "roots/r", "logs/other.log"]));
  });

  it("are none of a build that was killed", async () => {
    const works = join(folder, "work");
    const dead = join(works, "0".repeat(12) + "-1-1-00000000");
    mkdirSync(dead, { recursive: true });
    await claimPlaces(dead, ["roots/r"]);
    utimesSync(dead, new Date(0), new Date(0));
    expect(await placesInUse(works)).toEqual(new Set());
  });
});
