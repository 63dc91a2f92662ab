/**
 * Watching a log with the real command: once, for ever, killed in the middle of what it says, and with receivers that
 * fail. The log is a real one, served over HTTP.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf, type SigningKey } from "@bootproof/bytes/signing";
import {
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  keyidOf,
  makeBootMeasurement,
  signEnvelope,
} from "@bootproof/statement";
import { BOOTPROOF, bootproof, bootproofJson, scratch, type Outcome } from "./command.ts";

interface Alert {
  readonly schema: string;
  readonly id: string;
  readonly rule: string;
  readonly severity: string;
  readonly subject: string;
  readonly entries: readonly number[];
}

const keyOf = (name: string): SigningKey => makeSigningKey(name, sha256(utf8(name)));
const PUBLISHER = keyOf("acme.test");
const STRANGER = keyOf("stranger.test");
const SECRET = "a secret of the receiver and the watcher";

function release(name: string, version: string, kernel: string, by: SigningKey): Promise<Uint8Array> {
  const digests = { sha256: formatHex(sha256(utf8(kernel))), sha384: formatHex(sha384(utf8(kernel))) };
  const blob = { sha256: digests.sha256, size: 1 };
  const statement = makeBootMeasurement({
    release: { name, version },
    artifacts: [{ name: "vmlinuz", kind: "kernel", size: kernel.length, ...digests }],
    build: { recipe: blob, lock: blob, provenance: blob, actions: [] },
    measurements: [{ platform: "tdx", shape: {}, registers: { MRTD: digests.sha384 } }],
    predictor: { name: "bootproof", version: "0.1.0" },
  });
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), signerOf(by));
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const urlOf = (server: Server): string =>
  `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

const alertsIn = (stdout: string): Alert[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Alert);

describe("watching a log", () => {
  let folder: string;
  let log: string;
  let vkey: string;
  let files: Server;
  let hook: Server;
  let hookWorks = true;
  const received: { body: string; headers: IncomingMessage["headers"] }[] = [];
  let count = 0;

  async function add(entries: readonly Uint8Array[]): Promise<void> {
    const names: string[] = [];
    for (const entry of entries) {
      count++;
      names.push(path.join(folder, `entry-${count}`));
      await writeFile(names.at(-1)!, entry);
    }
    const { exitCode, stderr } = await bootproof(["log", "add", ...names, "--log", log]);
    if (exitCode !== 0) throw new Error(stderr);
  }

  const watchOnce = (state: string, ...more: string[]): Promise<Outcome> =>
    bootproof([
      "watch",
      "--log",
      urlOf(files),
      "--vkey",
      vkey,
      "--name",
      "acme-*",
      "--state",
      state,
      ...more,
    ]);

  function start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(BOOTPROOF, args, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
  }

  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 1200; tries++) {
      if (await holds()) return;
      await sleep(100);
    }
    throw new Error(`never: ${what}`);
  }

  beforeAll(async () => {
    folder = await scratch("watch");
    log = path.join(folder, "log");
    const made = await bootproofJson<{ vkey: string }>(
      ["log", "init", "--log", log, "--origin", "log.example.test/watched"],
      0,
    );
    vkey = made.vkey;
    files = await listen((request, response) => {
      readFile(path.join(log, request.url ?? "")).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    hook = await listen((request, response) => {
      let body = "";
      request.on("data", (bytes: Buffer) => (body += bytes.toString()));
      request.on("end", () => {
        if (hookWorks) received.push({ body, headers: request.headers });
        response.writeHead(hookWorks ? 204 : 503).end();
      });
    });
  });

  afterAll(() => {
    files.close();
    hook.close();
  });

  it("answers cron with its exit status: nothing new, alerts, could not decide", async () => {
    const state = path.join(folder, "cron.state");
    expect((await watchOnce(state, "--once")).exitCode).toBe(0);
    await add([await release("acme-os", "1", "kernel", STRANGER)]);
    const found = await watchOnce(state, "--once");
    expect(found.exitCode).toBe(1);
    expect(found.stdout).toMatch(
      /^warning {2}new-statement {2}log\.example\.test\/watched: acme-os 1 was published by a key that is not yours \(entry 0\)\n/,
    );
    expect(found.stdout).toContain(`signed as: ${keyidOf(STRANGER.vkey)}`);
    expect(await watchOnce(state, "--once")).toMatchObject({ exitCode: 0, stdout: "" });
    const gone = ["watch", "--log", "http://127.0.0.1:9", "--vkey", vkey, "--name", "any", "--state", state];
    const undecided = await bootproof([...gone, "--once"]);
    expect([undecided.exitCode, undecided.stdout]).toEqual([2, ""]);
    expect(undecided.stderr).toContain("could not decide");
    expect((await bootproof([...gone, "--once", "--offline"])).exitCode).toBe(2);
  });

  it("loses no alert when it is killed while it says them, and says none under another ID", async () => {
    const many = Array.from({ length: 900 }, (_, at) =>
      release("acme-os", `2.${at}`, `kernel ${at}`, STRANGER),
    );
    await add(await Promise.all(many));
    const state = path.join(folder, "killed.state");
    const args = [
      "watch",
      "--log",
      log,
      "--vkey",
      vkey,
      "--name",
      "acme-*",
      "--state",
      state,
      "--once",
      "--json",
    ];
    const killed = start(args);
    const ended = once(killed, "exit");
    let said = "";
    killed.stdout.on("data", (bytes: Buffer) => {
      if (said === "") killed.stdout.pause();
      said += bytes.toString();
    });
    // A reader that stops reading holds it up in the middle of a batch, between its alerts and its state.
    await until("it says something", () => said !== "");
    await sleep(3000);
    killed.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);
    killed.stdout.resume();
    await once(killed.stdout, "close");
    const before = alertsIn(said.slice(0, said.lastIndexOf("\n") + 1));
    const again = await bootproof(args);
    expect(again.exitCode).toBe(1);
    const after = alertsIn(again.stdout);
    expect(before.length).toBeGreaterThan(0);
    expect(after.length).toBeGreaterThan(0);
    const ids = new Map(before.map(({ id, entries }) => [id, entries]));
    const twice = after.filter(({ id }) => ids.has(id));
    for (const { id, entries } of twice) expect(entries).toEqual(ids.get(id));
    const all = [...before, ...after].map(({ id }) => id);
    expect(new Set(all).size).toBe(901);
    expect(all).toHaveLength(901 + twice.length);
    expect(await bootproof(args)).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("follows for ever, tells webhooks, programs and a feed, and delivers after a restart what failed before", async () => {
    const config = path.join(folder, "watch.yaml");
    await writeFile(path.join(folder, "hook.secret"), SECRET);
    await writeFile(
      config,
      `logs: [{log: ${urlOf(files)}, key: ${vkey}}]
names: [acme-*]
every: 1s
alerts:
  stdout: none
  webhooks: [{url: "${urlOf(hook)}/alerts", allowHttp: true, secret: {file: hook.secret}}]
  feed: {file: alerts.atom}
  exec: [{command: [sh, -c, 'cat >> "$0"', "${path.join(folder, "told")}"]}]
`,
    );
    hookWorks = false;
    const told = async (): Promise<Alert[]> =>
      alertsIn(await readFile(path.join(folder, "told"), "utf8").catch(() => ""));
    const first = start(["watch", "--config", config]);
    await until("the program was told", async () => (await told()).length === 901);
    await add([await release("acme-os", "1", "another kernel", PUBLISHER)]);
    await until("the program was told what is new", async () => (await told()).length >= 903);
    first.kill("SIGTERM");
    expect(await once(first, "exit")).toEqual([143, null]);
    expect((await told()).map(({ rule }) => rule)).toContain("conflicting-statements");
    expect(received).toEqual([]);

    hookWorks = true;
    const second = start(["watch", "--config", config]);
    await until("the webhook was told", () => received.length === 903);
    second.kill("SIGTERM");
    await once(second, "exit");
    const bodies = received.map(({ body }) => JSON.parse(body) as Alert);
    expect(bodies.map(({ id }) => id).sort()).toEqual((await told()).map(({ id }) => id).sort());
    for (const { body, headers } of received) {
      const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
      const mac = createHmac("sha256", SECRET).update(signed).digest("base64");
      expect(headers["webhook-signature"]).toBe(`v1,${mac}`);
    }
    expect(await readFile(path.join(folder, "alerts.atom"), "utf8")).toContain(
      "acme-os 1 was published again with other contents",
    );
  });

  it("sends a test alert to everyone, and says who did not take it", async () => {
    const config = path.join(folder, "watch.yaml");
    const { length } = received;
    expect((await bootproof(["watch", "--config", config, "--test-sinks"])).exitCode).toBe(0);
    expect(received).toHaveLength(length + 1);
    hookWorks = false;
    const failed = await bootproof(["watch", "--config", config, "--test-sinks"]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("it answers 503");
  });

  it("refuses a second watcher with the same state, and a configuration with a mistake in it", async () => {
    const config = path.join(folder, "watch.yaml");
    const running = start(["watch", "--config", config]);
    await sleep(3000);
    expect((await bootproof(["watch", "--config", config, "--once"])).exitCode).toBe(75);
    running.kill("SIGTERM");
    await once(running, "exit");
    const text = await readFile(config, "utf8");
    await writeFile(config, text.replace("every: 1s", "evry: 1s"));
    const refused = await bootproof(["watch", "--config", config, "--once"]);
    expect(refused.exitCode).toBe(78);
    expect(refused.stderr).toContain(":3:1: evry: unknown key; did you mean every?");
  });
});
