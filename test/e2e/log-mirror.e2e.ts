/**
 * A mirror of a log: at whatever moment it is killed, what it serves is a log that can be audited, and never one that
 * the log did not sign.
 */
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { utf8 } from "@bootproof/bytes";
import { originHash, parseLogPolicy, verifyTlogProof } from "@bootproof/log";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { BOOTPROOF, bootproof, bootproofJson, scratch, type Outcome } from "./command.ts";
import { delaying, first, honest, HostileProxy, only, refuses } from "./hostile-proxy.ts";
import { inMounts, serveFolder } from "./mirror.ts";

const ORIGIN = "example.org/mirrored";
let folder: string;
let log: string;
let vkey: string;
let proxy: HostileProxy;
let added = 0;

async function grow(count: number): Promise<void> {
  const files = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const file = path.join(folder, "entry", String(added + at));
      await writeFile(file, `entry ${added + at}`.padEnd(400, "."));
      return file;
    }),
  );
  added += count;
  expect((await bootproof(["log", "add", ...files, "--log", log])).exitCode).toBe(0);
}

/** Audits a copy as somebody who has not seen the log; its size. */
async function sizeOf(copy: string, state: string): Promise<number> {
  const audit = ["log", "audit", "--log", copy, "--vkey", vkey];
  const { size } = await bootproofJson<{ size: number }>(audit, 0, { env: { BOOTPROOF_STATE: state } });
  return size;
}

const mirrorTo = (copy: string, ...more: readonly string[]): string[] => [
  ...["log", "mirror", proxy.url, "--vkey", vkey, "--to", copy],
  ...more,
];

beforeAll(async () => {
  folder = await scratch("log-mirror");
  log = path.join(folder, "log");
  await mkdir(path.join(folder, "entry"));
  await bootproof(["log", "init", "--log", log, "--origin", ORIGIN]);
  vkey = (await readFile(path.join(log, "log.vkey"), "utf8")).trim();
  await grow(3000);
  proxy = await HostileProxy.start(await serveFolder(log));
});

describe("log mirror", () => {
  it("is a whole log, and only what the log signed, wherever it is killed", async () => {
    const copy = path.join(folder, "killed");
    proxy.turn(delaying(() => 10));
    let kills = 0;
    for (let round = 0; round < 8; round++) {
      const child = execa(BOOTPROOF, mirrorTo(copy, "--jobs", "2"), { reject: false });
      const asked = proxy.asked.length;
      const run = { isOver: false };
      const ended = child.then(() => (run.isOver = true));
      // In the middle of it on any machine: after a few more answers each time.
      while (proxy.asked.length < asked + 1 + round * 4 && !run.isOver) await sleep(5);
      if (child.kill("SIGKILL")) kills++;
      await ended;
      const isThere = await stat(path.join(copy, "checkpoint")).then(
        () => true,
        () => false,
      );
      if (isThere) expect(await sizeOf(copy, path.join(folder, `s${round}`))).toBe(added);
      if (isThere) await grow(300);
    }
    expect(kills).toBeGreaterThan(0);
    proxy.turn(honest);
    const report = await bootproofJson<{ size: number }>(mirrorTo(copy), 0);
    expect(report.size).toBe(added);
    expect(await sizeOf(copy, path.join(folder, "s-last"))).toBe(added);
    const files = await execa(
      "diff",
      ["-r", path.join(log, "tile/entries"), path.join(copy, "tile/entries")],
      {
        reject: false,
      },
    );
    // The copy lacks only partial bundles of sizes that it never showed.
    expect(
      files.stdout.split("\n").filter((line) => line !== "" && !/^Only in .*\/log\/tile.*/.test(line)),
    ).toEqual([]);
  });

  it("goes on where it stopped instead of reading all of it again", async () => {
    const copy = path.join(folder, "resumed");
    proxy.turn((exchange) => (proxy.asked.length > 20 ? refuses(403) : honest)(exchange));
    expect((await bootproof(mirrorTo(copy, "--jobs", "1"))).exitCode).toBe(69);
    proxy.turn(honest);
    const report = await bootproofJson<{ written: number; kept: number }>(mirrorTo(copy), 0);
    expect(report.kept).toBeGreaterThan(3);
    proxy.turn(honest);
    const again = await bootproofJson<{ written: number }>(mirrorTo(copy), 0);
    expect(again.written).toBe(0);
    expect(proxy.asked.filter((asked) => asked.includes("/entries/"))).toEqual([]);
  });

  it("follows until it is interrupted, through a server that is away, or late with its files, for a while", async () => {
    const copy = path.join(folder, "followed");
    proxy.turn(honest);
    const child = execa(BOOTPROOF, mirrorTo(copy, "--follow", "--interval", "0"), { reject: false });
    const late = only((file) => file.includes("/tile/entries/"), first(3, refuses(404)));
    for (const trouble of [honest, first(6, refuses(503)), late, honest]) {
      proxy.turn(trouble);
      await grow(40);
      const checkpoint = path.join(copy, "checkpoint");
      for (let wait = 0; wait < 150; wait++) {
        if ((await readFile(checkpoint, "utf8").catch(() => "")).includes(`\n${added}\n`)) break;
        await sleep(200);
      }
      expect(await readFile(checkpoint, "utf8")).toContain(`\n${added}\n`);
    }
    child.kill("SIGINT");
    const { exitCode, stdout } = await child;
    expect(exitCode).toBe(130);
    expect(stdout).toContain(`-> ${added}, `);
    expect(await sizeOf(copy, path.join(folder, "s-followed"))).toBe(added);
  });

  it("is found below a prefix for many logs by the log's key alone", async () => {
    const prefix = path.join(folder, "prefix");
    await bootproof(mirrorTo(prefix, "--by-origin"));
    expect(await stat(path.join(prefix, originHash(ORIGIN), "checkpoint"))).toBeDefined();
    for (const place of [prefix, await serveFolder(prefix)]) {
      expect(await sizeOf(place, path.join(folder, "s-prefix"))).toBe(added);
      const found = await bootproof(["log", "proof", "7", "--log", place, "--vkey", vkey]);
      expect(found.exitCode).toBe(0);
    }
    // Nothing private lies where a web server looks.
    expect(
      await stat(path.join(prefix, `${originHash(ORIGIN)}.private`)).catch(() => undefined),
    ).toBeUndefined();
    expect((await bootproof(["log", "checkpoint", "--log", prefix])).exitCode).toBe(66);
  });

  it("cosigns what it holds, and a policy can ask for that", async () => {
    const copy = path.join(folder, "cosigned");
    const witness = path.join(folder, "witness");
    const init = ["witness", "init", "--dir", witness, "--name", "mirror.example.org"];
    expect((await bootproof(init)).exitCode).toBe(0);
    const key = await witnessKey(witness);
    expect((await bootproof(mirrorTo(copy, "--key", key.file))).exitCode).toBe(0);
    const { stdout } = await bootproof(["log", "proof", "11", "--log", copy, "--vkey", vkey]);
    const proof = utf8(`${stdout}\n`);
    const asks = (name: string): string => `log ${vkey}\nwitness ${name} ${key.vkey}\nquorum ${name}\n`;
    const verdict = verifyTlogProof({ proof, policy: parseLogPolicy(asks("mirror")) });
    expect(verdict.answer).toBe("yes");
    expect(verdict.witnesses.map(({ name }) => name)).toEqual(["mirror"]);
    const plain = await bootproof(["log", "proof", "11", "--log", log, "--vkey", vkey]);
    const without = verifyTlogProof({
      proof: utf8(`${plain.stdout}\n`),
      policy: parseLogPolicy(asks("mirror")),
    });
    expect(without.answer).toBe("undecided");
    const own = await bootproof(mirrorTo(copy, "--key", path.join(`${log}.private`, "log.key")));
    expect(own.exitCode).toBe(64);
  });

  it("leaves alone what is no copy of this log", async () => {
    const other = path.join(folder, "other");
    await bootproof(["log", "init", "--log", other]);
    const fails = async (outcome: Promise<Outcome>): Promise<string | undefined> =>
      /code: (BP-[A-Z]+-\d+)/.exec((await outcome).stderr)?.[1];
    expect(await fails(bootproof(mirrorTo(other)))).toBe("BP-LOG-035");
    const copy = path.join(folder, "of-other");
    await bootproof(["log", "mirror", other, "--to", copy]);
    expect(await fails(bootproof(mirrorTo(copy)))).toBe("BP-LOG-035");
    expect((await bootproof(["log", "mirror", log, "--to", log])).exitCode).toBe(64);
    const busy = path.join(folder, "busy");
    proxy.turn(delaying(() => 300));
    const holder = execa(BOOTPROOF, mirrorTo(busy, "--jobs", "1"), { reject: false });
    await sleep(2500);
    expect(await fails(bootproof(["log", "mirror", log, "--vkey", vkey, "--to", busy]))).toBe("BP-LOG-037");
    holder.kill("SIGKILL");
    await holder;
    proxy.turn(honest);
    expect((await bootproof(mirrorTo(busy))).exitCode).toBe(0);
  });
});

describe("the memory of a reader", () => {
  it("is done without where the home cannot be written to, and that is said", async () => {
    const home = path.join(folder, "home");
    await mkdir(home);
    const read = [BOOTPROOF, "log", "checkpoint", "--log", log, "--vkey", vkey];
    const env = { BOOTPROOF_STATE: "", XDG_STATE_HOME: "", HOME: home };
    const outcome = await inMounts(`mount -t tmpfs -o ro none ${home}`, read, { env });
    expect(outcome).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("EROFS") as string });
    const seen = await inMounts("true", read, { env });
    expect(seen.stderr).toContain("first look");
    expect(await stat(path.join(home, ".local/state/bootproof/checkpoints"))).toBeDefined();
  });

  it("is not ignored when it has been damaged", async () => {
    const state = path.join(folder, "damaged");
    const read = ["log", "checkpoint", "--log", log, "--vkey", vkey];
    const env = { BOOTPROOF_STATE: state };
    expect((await bootproof(read, { env })).exitCode).toBe(0);
    const { stdout } = await execa("find", [path.join(state, "checkpoints"), "-name", "0*1"]);
    await chmod(stdout, 0o644);
    await writeFile(stdout, (await readFile(stdout, "utf8")).replace(`\n${added}\n`, "\n1\n"));
    const { exitCode, stderr } = await bootproof(read, { env });
    expect([exitCode, stderr]).toEqual([65, expect.stringContaining("BP-LOG-033")]);
  });
});

/** The key file of a witness, and its public half. */
async function witnessKey(place: string): Promise<{ file: string; vkey: string }> {
  const { stdout: file } = await execa("find", [place, "-name", "*.key"]);
  const { vkey: shown } = await bootproofJson<{ vkey: string }>(["key", "show", file], 0);
  return { file, vkey: shown };
}
