import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { utf8 } from "@bootproof/bytes";
import {
  ed25519Signer,
  cosignatureSigner,
  formatAddCheckpoint,
  formatCheckpoint,
  EMPTY_ROOT,
  leafHash,
  originHash,
  signNote,
  Witness,
} from "@bootproof/log";
import { DirectoryHead } from "@bootproof/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { scratchFolder } from "./scratch.testing.ts";
import { serveWitness, type RunningServer } from "./witness.ts";

const log = ed25519Signer("log.test", new Uint8Array(32).fill(1));
const signer = cosignatureSigner("w.test", new Uint8Array(32).fill(2));

async function request(size: bigint, oldSize = 0n): Promise<Uint8Array<ArrayBuffer>> {
  const root = size === 0n ? EMPTY_ROOT : leafHash(utf8("entry"));
  const note = await signNote(formatCheckpoint({ origin: "log.test", size, root }), [log]);
  return formatAddCheckpoint({ oldSize, proof: [], note });
}

describe("a witness on the network: one stranger stops it for all", () => {
  let server: RunningServer;
  let memory: DirectoryHead;
  const said: string[] = [];
  const post = async (body: Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${server.url}add-checkpoint`, { method: "POST", body });

  beforeAll(async () => {
    memory = await DirectoryHead.open(await scratchFolder());
    const witness = new Witness({
      signers: [signer],
      logKeys: (origin) => (origin === "log.test" ? [log.vkey] : undefined),
      memory: () => Promise.resolve(memory),
      now: () => 1_700_000_000n,
    });
    const origin = (hash: string): string | undefined =>
      hash === originHash("log.test") ? "log.test" : undefined;
    server = await serveWitness(
      {
        witness: () => Promise.resolve(witness),
        originOf: (hash) => Promise.resolve(origin(hash)),
        report: (line) => said.push(line),
      },
      { host: "127.0.0.1", port: 0 },
    );
  });
  afterAll(() => server.stop());

  it("cosigns, remembers on disk, and shows monitors what it cosigned last", async () => {
    const shown = `${server.url}${originHash("log.test")}/checkpoint`;
    expect((await fetch(shown)).status).toBe(404);
    const answer = await post(await request(1n));
    expect(answer.status).toBe(200);
    const line = await answer.text();
    expect(line).toMatch(/^— w\.test /);
    expect(new TextDecoder().decode((await memory.read())?.bytes)).toContain(line);
    const monitored = await fetch(shown);
    expect(monitored.headers.get("cache-control")).toBe("no-cache");
    expect(await monitored.text()).toContain(line);
    const conflict = await post(await request(1n));
    expect([conflict.status, conflict.headers.get("content-type"), await conflict.text()]).toEqual([
      409,
      "text/x.tlog.size",
      "1\n",
    ]);
    expect(said.at(-1)).toBe('409 add-checkpoint "log.test" 1: 1');
  });

  it("refuses other methods, pages and sizes", async () => {
    expect((await fetch(`${server.url}add-checkpoint`)).status).toBe(405);
    expect((await fetch(`${server.url}${"0".repeat(64)}/checkpoint`)).status).toBe(404);
    expect((await fetch(`${server.url}../etc/passwd`)).status).toBe(404);
    expect((await fetch(`${server.url}healthz`)).status).toBe(200);
    expect((await post(utf8("x".repeat(65_537)))).status).toBe(413);
  });

  it("refuses a body that grows beyond bounds without having said so", async () => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes: Buffer) => (answer += bytes.toString())).on("error", () => undefined);
    socket.write("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `4000\r\n${"y".repeat(0x4000)}\r\n`;
    for (let sent = 0; sent < 8 && !socket.destroyed; sent++) {
      socket.write(chunk);
      await sleep(5);
    }
    for (let waited = 0; waited < 200 && answer === ""; waited++) await sleep(10);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    expect((await post(await request(0n, 0n))).status).toBe(409);
  });

  it("stops although a client keeps its connection and says nothing", async () => {
    const other = await serveWitness(
      {
        witness: () => Promise.reject(new Error("no memory")),
        originOf: () => Promise.resolve(undefined),
        report: (line) => said.push(line),
      },
      { host: "127.0.0.1", port: 0 },
    );
    expect((await fetch(`${other.url}add-checkpoint`, { method: "POST", body: "x" })).status).toBe(500);
    expect(said.at(-1)).toBe("500 add-checkpoint: no memory");
    const socket = connect(Number(new URL(other.url).port), "127.0.0.1").on("error", () => undefined);
    socket.write("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    await sleep(50);
    const before = Date.now();
    await other.stop();
    expect(Date.now() - before).toBeLessThan(8_000);
    socket.destroy();
  });
});
