/**
 * The life of a log's keys as operators live it: the drills of the how-to pages, a rotation under a real witness, and
 * keys in a real ssh-agent.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseLogPolicy, verifyTlogProof } from "@bootproof/log";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  BOOTPROOF,
  bootproof,
  bootproofJson,
  ROOT,
  scratch,
  type Failure,
  type RunOptions,
} from "./command.ts";

const PATH = `${path.join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;

async function drill(name: string): Promise<string> {
  const script = path.join(ROOT, "docs/how-to", `${name}.sh`);
  const { stdout } = await execa("sh", [script, await scratch(name)], { env: { PATH, CI: "true" } });
  return stdout;
}

describe("the drills of the documentation", () => {
  it("change a log's key: no reader who was told is lost, one who was not says no", async () => {
    const said = await drill("rotate-a-log-key");
    expect(said.match(/^answer +yes: /gm)).toHaveLength(6);
    expect(said).toMatch(/BP-LOG-008[^]*BP-LOG-044[^\n]*$/);
  });

  it("end a log and go on: who has the stolen key is found out", async () => {
    const said = await drill("freeze-a-log");
    expect(said).toMatch(
      /frozen[^]*continues +example\.org\/old at size 2[^]*wrong +the old log does not end there$/,
    );
  });
});

describe("a log whose keys change under a witness", () => {
  let count = 0;
  let log: string;
  let folder: string;

  const add = async (options: RunOptions = {}): Promise<number | undefined> => {
    const file = path.join(folder, `entry-${++count}`);
    await writeFile(file, `entry ${count}`);
    return (await bootproof(["log", "add", file, "--log", log], options)).exitCode;
  };

  /** What verifiers answer about an entry who have these of the log's keys, and ask for the witness. */
  async function verdicts(
    index: number,
    witness: string,
    ...who: readonly (readonly string[])[]
  ): Promise<string[]> {
    const { stdout } = await bootproof(["log", "proof", String(index), "--log", log]);
    const proof = new TextEncoder().encode(`${stdout}\n`);
    return who.map((keys) => {
      const logs = keys.map((key) => `log ${key}\n`).join("");
      const policy = parseLogPolicy(`${logs}witness w ${witness}\nquorum w\n`);
      return verifyTlogProof({ proof, policy }).answer;
    });
  }

  async function serveWitness(dir: string): Promise<string> {
    const args = ["witness", "serve", "--dir", dir, "--listen", "127.0.0.1:0"];
    const child = execa(BOOTPROOF, args, { reject: false, stdin: "ignore", buffer: false });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await child;
    });
    let said = "";
    for await (const bytes of child.stdout as AsyncIterable<Buffer>) {
      said += bytes.toString();
      const url = /listening on\s+(http:\S+)/.exec(said)?.[1];
      if (url !== undefined) return url;
    }
    throw new Error(`witness ended: ${said}`);
  }

  it("satisfies verifiers with the old key, the new one, or both, all the way", async () => {
    folder = await scratch("log-keys");
    log = path.join(folder, "log");
    const dir = path.join(folder, "witness");
    const argv = ["log", "init", "--log", log, "--origin", "log.example.test/keys"];
    const { vkey: old } = await bootproofJson<{ vkey: string }>(argv, 0);
    const made = await bootproofJson<{ vkeys: string[] }>(
      ["witness", "init", "--dir", dir, "--name", "w.example.test"],
      0,
    );
    const witness = made.vkeys[0]!;
    await bootproof(["witness", "add-log", old, "--dir", dir]);
    const url = await serveWitness(dir);
    const policy = path.join(folder, "policy");
    await writeFile(policy, `witness w ${witness} ${url}\nquorum w\n`);
    const first = path.join(folder, "first");
    await writeFile(first, "first");
    expect((await bootproof(["log", "add", first, "--log", log, "--policy", policy])).exitCode).toBe(0);

    // The witness knows the old key alone, and that is enough while both sign.
    const { keys } = await bootproofJson<{ keys: { keyId: string; vkey: string }[] }>(
      ["log", "key", "add", "--generate", "--log", log],
      0,
    );
    const next = keys[1]!.vkey;
    for (const index of [0, 1]) {
      if (index === 1) expect(await add()).toBe(0);
      expect(await verdicts(index, witness, [old], [next], [old, next])).toEqual(["yes", "yes", "yes"]);
    }

    // Too early: the witness would not know the log any more, so nothing is dropped.
    const retire = ["log", "key", "retire", keys[0]!.keyId, "--log", log];
    const early = await bootproofJson<Failure>(retire, 75);
    expect(early.error.code).toBe("BP-LOG-015");
    expect(await readFile(path.join(log, "log.vkey"), "utf8")).toBe(`${old}\n${next}\n`);
    expect((await bootproof(["witness", "add-log", next, "--dir", dir])).exitCode).toBe(0);
    expect((await bootproof(retire)).exitCode).toBe(0);
    expect(await add()).toBe(0);
    expect(await verdicts(2, witness, [old], [next], [old, next])).toEqual(["no", "yes", "yes"]);
    expect(await readFile(path.join(log, "log.vkey"), "utf8")).toBe(`${next}\n`);
    expect((await bootproof(["log", "audit", "--log", log])).exitCode).toBe(0);
  });

  it("signs with keys in an ssh-agent, log and witness both, and stops when the agent is gone", async () => {
    folder = await scratch("log-agent");
    log = path.join(folder, "log");
    const socket = path.join(folder, "agent");
    const agent: ChildProcess = spawn("ssh-agent", ["-D", "-a", socket], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    onTestFinished(() => void agent.kill());
    await once(agent.stdout!, "data");
    const env = { SSH_AUTH_SOCK: socket };
    const prints = ["log", "witness"].map((name) => {
      const file = path.join(folder, name === "log" ? "log-ssh" : "witness-ssh");
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
      execFileSync("ssh-add", ["-q", file], { env: { ...process.env, ...env }, stdio: "ignore" });
      return execFileSync("ssh-keygen", ["-lf", file]).toString().split(" ")[1]!;
    });
    const argv = [
      "log",
      "init",
      "--log",
      log,
      "--origin",
      "log.example.test/agent",
      "--key",
      `agent:${prints[0]}`,
    ];
    const { vkey } = await bootproofJson<{ vkey: string }>(argv, 0, { env });
    const dir = path.join(folder, "witness");
    const init = ["witness", "init", "--dir", dir, "--name", "w.example.test", "--key", `agent:${prints[1]}`];
    const { vkeys } = await bootproofJson<{ vkeys: string[] }>(init, 0, { env });
    expect(vkeys[0]).toMatch(/^w\.example\.test\+[0-9a-f]{8}\+B/);
    expect(await add({ env })).toBe(0);
    expect((await bootproof(["log", "audit", "--log", log, "--vkey", vkey])).exitCode).toBe(0);
    const before = await readFile(path.join(log, "checkpoint"), "utf8");
    agent.kill();
    await once(agent, "exit");
    expect(await add({ env })).toBe(69);
    expect(await readFile(path.join(log, "checkpoint"), "utf8")).toBe(before);
  });
});
