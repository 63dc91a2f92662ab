/**
 * A log with witnesses, all of them real processes on this machine: one is down, one is killed, one lies, and an older
 * copy of the log is written to.
 */
import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { ed25519Signer, parseLogPolicy, verifyTlogProof } from "@bootproof/log";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BOOTPROOF, bootproof, bootproofJson, scratch, type Failure, type Outcome } from "./command.ts";

const start = (args: readonly string[]) =>
  execa(BOOTPROOF, args, { reject: false, stdin: "ignore", buffer: false });

interface RunningWitness {
  readonly process: ReturnType<typeof start>;
  readonly url: string;
}

/** Starts `witness serve` and waits until it says where it listens. */
async function serve(dir: string, port = 0): Promise<RunningWitness> {
  const process = start(["witness", "serve", "--dir", dir, "--listen", `127.0.0.1:${port}`]);
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    process.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      const found = /listening on\s+(http:\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    process.then((result) => reject(new Error(`witness ended: ${result.shortMessage ?? ""}`)), reject);
  });
  return { process, url };
}

async function end({ process }: RunningWitness, signal: "SIGTERM" | "SIGKILL"): Promise<number | undefined> {
  process.kill(signal);
  return (await process).exitCode;
}

describe("a log and its witnesses", () => {
  let folder: string;
  let log: string;
  let logKey: string;
  let keys: readonly [string, string];
  let witnesses: [RunningWitness, RunningWitness];
  let liar: Server;
  let lie: { status: number; type: string; body: string };
  let count = 0;

  const dir = (at: 0 | 1): string => path.join(folder, `w${at + 1}`);
  const urlOfLiar = (): string => `http://127.0.0.1:${(liar.address() as AddressInfo).port}/`;

  async function policy(
    name: string,
    quorum: string,
    urls = witnesses.map(({ url }) => url),
  ): Promise<string> {
    const file = path.join(folder, name);
    const lines = keys.map((key, at) => `witness w${at + 1} ${key} ${urls[at] ?? ""}`);
    await writeFile(file, `log ${logKey}\n${lines.join("\n")}\ngroup g ${quorum} w1 w2\nquorum g\n`);
    return file;
  }

  async function entry(): Promise<string> {
    count++;
    const file = path.join(folder, `entry-${count}`);
    await writeFile(file, `entry ${count}`);
    return file;
  }

  const add = (file: string, ...more: string[]): Promise<Outcome> =>
    bootproof(["log", "add", file, "--log", log, ...more]);

  /** Size of the public checkpoint, and the names of those that cosigned it. */
  async function checkpoint(at = log): Promise<{ size: number; by: string[] }> {
    const lines = (await readFile(path.join(at, "checkpoint"), "utf8")).split("\n");
    const by = lines.flatMap((line) => /^— (w[12])\.example\.test /.exec(line)?.[1] ?? []);
    return { size: Number(lines[1]), by };
  }

  beforeAll(async () => {
    folder = await scratch("witness");
    log = path.join(folder, "log");
    const made = await bootproofJson<{ vkey: string }>(
      ["log", "init", "--log", log, "--origin", "log.example.test/e2e"],
      0,
    );
    logKey = made.vkey;
    const ofWitness = async (at: 0 | 1, ...more: string[]): Promise<readonly string[]> => {
      const name = `w${at + 1}.example.test`;
      const args = ["witness", "init", "--dir", dir(at), "--name", name, ...more];
      const { vkeys } = await bootproofJson<{ vkeys: string[] }>(args, 0);
      expect((await bootproof(["witness", "add-log", logKey, "--dir", dir(at)])).exitCode).toBe(0);
      return vkeys;
    };
    // The second counts with its post-quantum key.
    keys = [(await ofWitness(0))[0]!, (await ofWitness(1, "--ml-dsa"))[1]!];
    witnesses = [await serve(dir(0)), await serve(dir(1))];
    liar = createServer((request, response) => {
      request.resume();
      response.writeHead(lie.status, { "content-type": lie.type }).end(lie.body);
    });
    await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
  });

  afterAll(async () => {
    liar.close();
    for (const witness of witnesses) await end(witness, "SIGKILL");
  });

  it("publishes with the quorum, and whoever checks the proof sees both witnesses", async () => {
    const file = await policy("all.policy", "all");
    const { exitCode, stderr } = await add(await entry(), "--policy", file);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(await checkpoint()).toEqual({ size: 1, by: ["w1", "w2"] });
    const { stdout } = await bootproof(["log", "proof", "0", "--log", log, "--vkey", logKey]);
    const verdict = verifyTlogProof({
      proof: new TextEncoder().encode(`${stdout}\n`),
      policy: parseLogPolicy(await readFile(file, "utf8")),
    });
    expect(verdict).toMatchObject({ answer: "yes", witnesses: [{ name: "w1" }, { name: "w2" }] });
  });

  it("publishes nothing while a witness is down, and everything once it is back", async () => {
    const { port } = new URL(witnesses[1].url);
    expect(await end(witnesses[1], "SIGTERM")).toBe(143);
    const waiting = await entry();
    const failed = await bootproofJson<Failure>(["log", "add", waiting, "--log", log], 75);
    expect(failed.error.code).toBe("BP-LOG-015");
    expect(failed.error.found).toContain("1 cosignatures");
    expect(await checkpoint()).toEqual({ size: 1, by: ["w1", "w2"] });
    witnesses[1] = await serve(dir(1), Number(port));
    const again = await add(waiting);
    expect([again.exitCode, again.stdout]).toEqual([0, `1  was there  ${waiting}`]);
    expect(await checkpoint()).toEqual({ size: 2, by: ["w1", "w2"] });
  });

  it("goes on with a witness that was killed, from where it stood", async () => {
    const { port } = new URL(witnesses[0].url);
    await end(witnesses[0], "SIGKILL");
    witnesses[0] = await serve(dir(0), Number(port));
    expect((await add(await entry())).exitCode).toBe(0);
    expect(await checkpoint()).toEqual({ size: 3, by: ["w1", "w2"] });
  });

  it("opens no socket with --offline, and so publishes nothing", async () => {
    const failed = await bootproofJson<Failure>(["log", "add", await entry(), "--log", log, "--offline"], 69);
    expect(failed.error.code).toBe("BP-NET-001");
    expect((await checkpoint()).size).toBe(3);
  });

  it.each([
    ["another size", { status: 409, type: "text/x.tlog.size", body: "123456\n" }],
    ["another root", { status: 422, type: "text/plain", body: "another root\n" }],
    [
      "success, with a cosignature of something else",
      { status: 200, type: "text/plain", body: "— w2 AAAAAAAA\n" },
    ],
  ])("is not stopped by a witness that says %s when the quorum does without it", async (_, told) => {
    lie = told;
    const { size } = await checkpoint();
    const any = await policy("any.policy", "any", [witnesses[0].url, urlOfLiar()]);
    const { exitCode, stderr } = await add(await entry(), "--policy", any);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("witness w2 (http");
    expect(await checkpoint()).toEqual({ size: size + 1, by: ["w1"] });
    // A witness is now asked for that does not cosign: what is added waits, and the public checkpoint stays.
    const strict = await policy("strict.policy", "all", [witnesses[0].url, urlOfLiar()]);
    expect((await add(await entry(), "--policy", strict)).exitCode).toBe(75);
    expect((await checkpoint()).size).toBe(size + 1);
    const back = await policy("all.policy", "all");
    expect((await add(await entry(), "--policy", back)).exitCode).toBe(0);
    expect(await checkpoint()).toEqual({ size: size + 3, by: ["w1", "w2"] });
  });

  it("refuses to write to an older copy of itself: a witness shows the newer checkpoint", async () => {
    const copy = path.join(folder, "copy");
    await cp(log, copy, { recursive: true });
    await cp(`${log}.private`, `${copy}.private`, { recursive: true });
    for (let more = 0; more < 2; more++) expect((await add(await entry())).exitCode).toBe(0);
    const { size } = await checkpoint(copy);
    const failed = await bootproofJson<Failure>(["log", "add", await entry(), "--log", copy], 1);
    expect(failed.error.code).toBe("BP-LOG-005");
    expect(failed.error.file).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect((await checkpoint(copy)).size).toBe(size);
  });

  it("cannot be given a policy for another log, or one that nobody can fulfil", async () => {
    const file = path.join(folder, "wrong.policy");
    const other = ed25519Signer("other.example.test", new Uint8Array(32).fill(5));
    await writeFile(file, `log ${other.vkey}\nquorum none\n`);
    expect((await add(await entry(), "--policy", file)).exitCode).toBe(64);
    await writeFile(file, `witness w ${keys[0]}\nquorum w\n`);
    const { exitCode, stderr } = await add(await entry(), "--policy", file);
    expect([exitCode, stderr]).toEqual([75, expect.stringContaining("BP-LOG-015")]);
    expect((await bootproof(["log", "audit", "--log", log, "--vkey", logKey])).exitCode).toBe(0);
  });
});
