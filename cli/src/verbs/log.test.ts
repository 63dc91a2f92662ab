import { chmod, cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

describe("log", () => {
  let folder: string;
  let log: string;
  beforeAll(async () => {
    folder = await scratchFolder();
    log = join(folder, "log");
    expect(await run(["log", "init", "--log", log, "--origin", "example.org/log"])).toMatchObject({
      exit: 0,
    });
    for (const name of ["a", "b"]) await writeFile(join(folder, name), `entry ${name}`);
    expect((await run(["log", "add", join(folder, "a"), join(folder, "b"), "--log", log])).exit).toBe(0);
  });

  it("keeps its key out of what a web server may serve", async () => {
    const served = await readdir(log, { recursive: true });
    expect(served.filter((name) => name.endsWith("key") && !name.endsWith(".vkey"))).toEqual([]);
    expect((await stat(`${log}.private`)).mode & 0o077).toBe(0);
    expect((await stat(join(`${log}.private`, "log.key"))).mode & 0o777).toBe(0o600);
  });

  it("does not add an entry twice", async () => {
    const { stdout } = await run(["log", "add", join(folder, "b"), "--log", log, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ size: 2, added: [{ index: 1, duplicate: true }] });
  });

  it("is not copied into whatever folder one is in, for want of a name", async () => {
    const outcome = await run(["log", "mirror", log, "--to", ""]);
    expect(outcome).toMatchObject({ exit: 64, stderr: expect.stringContaining("--to") as string });
  });

  it("is never started over", async () => {
    expect((await run(["log", "init", "--log", log])).exit).toBe(74);
  });

  it("prints a checkpoint under its origin, and a proof that inspect reads", async () => {
    expect((await run(["log", "checkpoint", "--log", log])).stdout).toMatch(/^example\.org\/log\n2\n/);
    const proof = join(folder, "b.tlog-proof");
    expect((await run(["log", "proof", "1", "--log", log, "--out", proof])).exit).toBe(0);
    // The entry is no statement, and inspect says so instead of guessing.
    const inspected = await run(["inspect", proof]);
    expect(inspected.exit).toBe(65);
    expect((await readFile(proof, "utf8")).split("\n")[0]).toBe("c2sp.org/tlog-proof@v1");
  });

  it("says no and names the file when a byte of an entry was changed", async () => {
    expect((await run(["log", "audit", "--log", log])).exit).toBe(0);
    const copy = join(folder, "tampered");
    await cp(log, copy, { recursive: true });
    const file = join(copy, "tile/entries/000.p/2");
    const bytes = await readFile(file);
    bytes[5] = (bytes[5] ?? 0) ^ 1;
    await chmod(file, 0o644);
    await writeFile(file, bytes);
    const { exit, stdout } = await run(["log", "audit", "--log", copy]);
    expect(exit).toBe(1);
    expect(stdout).toContain("tile/entries/000.p/2");
  });

  it("remembers what it saw: reads what is new, and says no when the log is an older copy or another tree", async () => {
    const state = join(folder, "audit.state");
    const place = join(folder, "audited");
    const audit = async (
      log: string,
    ): Promise<{ exit: number; from: number; fault?: { reason: string } }> => {
      const { exit, stdout } = await run(["log", "audit", "--log", log, "--state", state, "--json"]);
      return { exit, ...(JSON.parse(stdout) as { from: number; fault?: { reason: string } }) };
    };
    await run(["log", "init", "--log", place, "--origin", "example.org/audited"]);
    const names = Array.from({ length: 300 }, (_, at) => join(folder, `entry-${at}`));
    for (const name of names) await writeFile(name, name);
    await run(["log", "add", ...names.slice(0, 280), "--log", place]);
    expect(await audit(place)).toMatchObject({ exit: 0, from: 0 });
    const older = join(folder, "audited-older");
    await cp(place, older, { recursive: true });
    const forked = join(folder, "audited-forked");
    await cp(place, forked, { recursive: true });
    await cp(`${place}.private`, `${forked}.private`, { recursive: true });
    await run(["log", "add", ...names, "--log", place]);
    expect(await audit(place)).toMatchObject({ exit: 0, from: 256, size: 300 });
    expect(await audit(older)).toMatchObject({ exit: 1, fault: { file: "checkpoint", found: "280" } });
    await run(["log", "add", ...names.toReversed(), "--log", forked]);
    expect(await audit(forked)).toMatchObject({ exit: 1, fault: { file: "checkpoint" } });
    expect(await audit(place)).toMatchObject({ exit: 0, from: 256 });
    await writeFile(state, "rubbish");
    expect((await run(["log", "audit", "--log", place, "--state", state])).exit).toBe(65);
  });

  it("collects partial tiles once they are old enough, and the log stays whole", async () => {
    const place = join(folder, "collected");
    await run(["log", "init", "--log", place]);
    const names = Array.from({ length: 300 }, (_, at) => join(folder, `collect-${at}`));
    for (const name of names) await writeFile(name, name);
    for (const to of [10, 200, 300]) await run(["log", "add", ...names.slice(0, to), "--log", place]);
    const gc = async (...argv: string[]): Promise<unknown> =>
      JSON.parse((await run(["log", "gc", "--log", place, ...argv, "--json"])).stdout) as unknown;
    expect(await gc()).toMatchObject({ removed: 0, collected: 0, size: 300 });
    expect(await gc("--keep", "0")).toMatchObject({ removed: 4, collected: 256, size: 300 });
    expect(await readdir(join(place, "tile/0"))).toEqual(["000", "001.p"]);
    expect((await run(["log", "audit", "--log", place])).exit).toBe(0);
    expect((await run(["log", "proof", "7", "--log", place])).exit).toBe(0);
    await rm(`${place}.private`, { recursive: true });
    expect((await run(["log", "gc", "--log", place])).exit).toBe(66);
    expect((await run(["log", "gc", "--log", place, "--keep", "-1"])).exit).toBe(64);
  });

  it("says no when the checkpoint is signed by another key than the one named", async () => {
    const other = join(folder, "other.key");
    const { stdout } = await run(["key", "generate", "example.org/log", "--out", other]);
    const { exit, stderr } = await run(["log", "audit", "--log", log, "--vkey", stdout.trim()]);
    expect(exit).toBe(1);
    expect(stderr).toContain("BP-LOG-008");
  });

  it.each([
    ["a place without a log", ["audit", "--log", "/nope"], 66],
    ["an index outside the tree", ["proof", "7"], 1],
    ["an index that is no number", ["proof", "-"], 64],
  ])("refuses %s", async (_name, argv, exit) => {
    const place = argv.includes("--log") ? [] : ["--log", log];
    expect((await run(["log", ...argv, ...place])).exit).toBe(exit);
  });
});
