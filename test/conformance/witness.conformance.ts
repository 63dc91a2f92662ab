/**
 * Witnesses and logs that are not ours: torchwood's litewitness cosigns our log, and Tessera's posix-oneshot has its log
 * cosigned by our witness. Both are built with the machine's `go`; litewitness takes its key from ssh-agent. What is
 * missing is said, and the tests that need it are skipped.
 *
 *     vitest run --config test/conformance/vitest.config.ts witness
 * @module
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { makeSigningKey, formatSigningKey } from "@bootproof/bytes/signing";
import { formatVkey, sha256, utf8 } from "@bootproof/bytes";
import {
  checkSignatures,
  EMPTY_ROOT,
  noteVerifiers,
  parseLogPolicy,
  parseNote,
  verifyTlogProof,
} from "@bootproof/log";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../free-port.ts";

const LITEWITNESS = "filippo.io/torchwood/cmd/litewitness@v0.9.0";
const ONESHOT = "github.com/transparency-dev/tessera/cmd/examples/posix-oneshot@v1.0.4";
const BOOTPROOF = path.resolve(import.meta.dirname, "../../cli/bin/bootproof");

let folder = "";
const built = new Set<string>();
const running: { kill: (signal: "SIGKILL") => unknown }[] = [];

const bin = (name: string): string => path.join(folder, "bin", name);

async function build(name: string, pinned: string): Promise<void> {
  const env = { GOBIN: path.join(folder, "bin") };
  const result = await execa("go", ["install", pinned], { cwd: folder, env, reject: false });
  if (result.failed) console.log(`skipped: ${name} cannot be built: ${result.shortMessage}`);
  else built.add(name);
}

/** Starts a program that runs until the tests are done, and waits until it has said what we wait for. */
async function start(
  file: string,
  args: readonly string[],
  wanted: RegExp,
  env: Record<string, string> = {},
): Promise<string> {
  const process = execa(file, args, { env, reject: false, stdin: "ignore", all: true, buffer: false });
  running.push(process);
  return new Promise((resolve, reject) => {
    let said = "";
    process.all.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      const found = wanted.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    process.then(() => reject(new Error(`${file} ended: ${said}`)), reject);
  });
}

async function bootproof(...args: string[]): Promise<string> {
  const { stdout } = await execa(BOOTPROOF, args, { stdin: "ignore" });
  return stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-conformance-"));
  await mkdir(path.join(folder, "bin"));
  await build("litewitness", LITEWITNESS);
  await build("posix-oneshot", ONESHOT);
  const agent = await execa("ssh-agent", ["-h"], { reject: false });
  if (agent.exitCode === undefined) {
    console.log("skipped: litewitness needs ssh-agent, which is not here");
    built.delete("litewitness");
  }
});

afterAll(async () => {
  for (const process of running) process.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Tells litewitness of a log. Its own witnessctl needs a module that not every Go proxy has, so we write its tables. */
function addLog(db: string, origin: string, vkey: string): void {
  const database = new DatabaseSync(db);
  database.exec(`
    CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
    CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));`);
  const root = Buffer.from(EMPTY_ROOT).toString("base64");
  database.prepare("INSERT INTO log VALUES (?, 0, ?)").run(origin, root);
  database.prepare("INSERT INTO key VALUES (?, ?)").run(origin, vkey);
  database.close();
}

/** A running litewitness that knows one log. */
async function litewitness(origin: string, logKey: string): Promise<{ url: string; vkey: string }> {
  const socket = path.join(folder, "agent");
  running.push(execa("ssh-agent", ["-D", "-a", socket], { reject: false, stdin: "ignore" }));
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(folder, "key")]);
  const add = (): Promise<{ failed: boolean }> =>
    execa("ssh-add", [path.join(folder, "key")], { env: { SSH_AUTH_SOCK: socket }, reject: false });
  for (let tries = 0; tries < 100 && (await add()).failed; tries++) await sleep(50);
  const { stdout } = await execa("ssh-keygen", ["-lf", path.join(folder, "key.pub")]);
  const db = path.join(folder, "litewitness.db");
  addLog(db, origin, logKey);
  const listen = `127.0.0.1:${await freePort()}`;
  const names = ["-name", "lite.example.test", "-key", stdout.split(" ")[1] ?? ""];
  const args = ["-db", db, "-ssh-agent", socket, "-listen", listen, ...names];
  const vkey = await start(bin("litewitness"), args, /vkey="?(\S+?)"?\n/);
  for (let tries = 0; tries < 100; tries++) {
    if (
      await fetch(`http://${listen}/`).then(
        () => true,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  return { url: `http://${listen}`, vkey };
}

describe("our log before torchwood's litewitness", () => {
  it("is cosigned as it grows, also when we forget where the witness stands; an older copy is not", async ({
    skip,
  }) => {
    skip(!built.has("litewitness"));
    const log = path.join(folder, "log");
    const made = await bootproof("log", "init", "--log", log, "--origin", "log.example.test/lite", "--json");
    const { vkey: logKey } = JSON.parse(made) as { vkey: string };
    const { url, vkey } = await litewitness("log.example.test/lite", logKey);
    const policy = path.join(folder, "lite.policy");
    const text = `log ${logKey}\nwitness lite ${vkey} ${url}\nquorum lite\n`;
    await writeFile(policy, text);
    for (const count of [1, 2, 255, 256, 257]) {
      const files: string[] = [];
      for (let at = 0; at < count; at++) {
        files.push(path.join(folder, `entry-${count}-${at}`));
        await writeFile(files.at(-1)!, `entry ${count} ${at}`);
      }
      if (count === 256) await rm(path.join(`${log}.private`, "staging/witnesses"));
      if (count === 257) {
        await cp(log, path.join(folder, "old"), { recursive: true });
        await cp(`${log}.private`, path.join(folder, "old.private"), { recursive: true });
      }
      await bootproof("log", "add", ...files, "--log", log, "--policy", policy);
    }
    const proof = `${await bootproof("log", "proof", "300", "--log", log, "--vkey", logKey)}\n`;
    const verdict = verifyTlogProof({ proof: utf8(proof), policy: parseLogPolicy(text) });
    expect(verdict).toMatchObject({
      answer: "yes",
      checkpoint: { size: 771n },
      witnesses: [{ name: "lite" }],
    });

    await writeFile(path.join(folder, "other"), "another entry");
    const older = ["log", "add", path.join(folder, "other"), "--log", path.join(folder, "old")];
    const refused = await execa(BOOTPROOF, older, { reject: false, stdin: "ignore" });
    expect([refused.exitCode, refused.stderr]).toEqual([75, expect.stringContaining("larger size 771")]);
  });
});

describe("Tessera's log before our witness", () => {
  it("is cosigned as it grows, and a line of a kind of key that it does not know is no obstacle", async ({
    skip,
  }) => {
    skip(!built.has("posix-oneshot"));
    const key = makeSigningKey(
      "tessera.example.test",
      sha256(utf8("conformance test seed of a Tessera log")),
    );
    const keyFile = path.join(folder, "tessera.key");
    await writeFile(keyFile, formatSigningKey(key));
    const dir = path.join(folder, "witness");
    const init = await bootproof(
      "witness",
      "init",
      "--dir",
      dir,
      "--name",
      "ours.example.test",
      "--ml-dsa",
      "--json",
    );
    const { vkeys } = JSON.parse(init) as { vkeys: [string, string] };
    await bootproof("witness", "add-log", formatVkey(key.vkey), "--dir", dir);
    const serve = ["witness", "serve", "--dir", dir, "--listen", "127.0.0.1:0"];
    const url = await start(BOOTPROOF, serve, /listening on\s+(http:\S+)\n/);
    const policy = path.join(folder, "tessera.policy");
    await writeFile(policy, `witness ours ${vkeys[0]} ${url}\ngroup g all ours\nquorum g\n`);
    const storage = path.join(folder, "tessera");
    for (const round of [1, 2, 3]) {
      const entries = path.join(folder, `round-${round}`);
      await mkdir(entries);
      for (let at = 0; at < 100; at++) await writeFile(path.join(entries, String(at)), `${round} ${at}`);
      await execa(bin("posix-oneshot"), [
        `--storage_dir=${storage}`,
        `--entries=${entries}/*`,
        `--private_key=${keyFile}`,
        `--witness_policy_file=${policy}`,
      ]);
      const note = parseNote(await readFile(path.join(storage, "checkpoint")));
      expect(Buffer.from(note.unverifiedText).toString().split("\n")[1]).toBe(String(round * 100));
      const { verified } = checkSignatures(note, noteVerifiers([formatVkey(key.vkey), vkeys[0]]));
      expect(verified.map(({ verifier }) => verifier.vkey.name).sort()).toEqual([
        "ours.example.test",
        "tessera.example.test",
      ]);
    }
  });
});
