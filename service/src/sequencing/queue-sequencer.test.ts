import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { utf8 } from "@bootproof/bytes";
import { audit, fetchCheckpoint, noteVerifiers, verifyTlogProof } from "@bootproof/log";
import { DirectoryObjects } from "@bootproof/store";
import { startPostgres, type PostgresServer } from "@bootproof/store/postgres-server";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import { SIGNER } from "../served-log.testing.ts";

const PROGRAM = fileURLToPath(new URL("../front-end.testing.ts", import.meta.url));

let database: PostgresServer;
let folder: string;
beforeAll(async () => {
  database = await startPostgres();
  folder = join(await scratchFolder(), "public");
}, 120_000);
afterAll(() => database.stop());

interface FrontEnd {
  readonly url: string;
  readonly child: ChildProcess;
}

async function start(mode = ""): Promise<FrontEnd> {
  const child = spawn(
    process.execPath,
    [
      "--conditions=@bootproof/source",
      "--disable-warning=ExperimentalWarning",
      PROGRAM,
      folder,
      database.url,
      mode,
    ],
    { env: { ...process.env, ...database.env }, stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { url: line, child };
}

interface Said {
  readonly index: number;
  readonly proof: string;
  readonly duplicate?: boolean;
}

async function post({ url }: FrontEnd, body: string): Promise<{ status: number; said: Said }> {
  const answer = await fetch(`${url}v1/entries`, { method: "POST", body });
  return { status: answer.status, said: (await answer.json()) as Said };
}

async function writer({ url }: FrontEnd): Promise<string> {
  const metrics = await (await fetch(`${url}metrics`)).text();
  return /bootproof_log_writer\{state="([a-z-]+)"\} 1/.exec(metrics)?.[1] ?? "none";
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await holds());) {
    if (Date.now() > end) throw new Error("not within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("several front ends of one log: one may be killed at any time", () => {
  it("answers from each, one sequences, and another takes over when it is killed", async () => {
    const first = await start("create");
    await until(async () => (await writer(first)) === "writing");
    const second = await start();
    await until(async () => (await writer(second)) === "stand-by");
    expect((await fetch(`${second.url}readyz`)).status).toBe(200);

    const [one, two] = await Promise.all([post(first, "one"), post(second, "two")]);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(new Set([one.said.index, two.said.index])).toEqual(new Set([0, 1]));
    const again = await post(second, "one");
    expect(again.said).toMatchObject({ index: one.said.index, duplicate: true });

    const acknowledged = new Map<string, number>();
    let running = true;
    const load = Array.from({ length: 8 }, async (_, lane) => {
      for (let at = 0; running; at++) {
        const body = `lane ${String(lane)} entry ${String(at)}`;
        const { status, said } = await post(second, body);
        expect([200, 202]).toContain(status);
        if (status !== 200) continue;
        expect(verifyTlogProof({ proof: utf8(said.proof), policy: { logKey: SIGNER.vkey } }).answer).toBe(
          "yes",
        );
        acknowledged.set(body, said.index);
      }
    });
    await until(() => Promise.resolve(acknowledged.size > 40));
    first.child.kill("SIGKILL");
    await until(async () => (await writer(second)) === "writing");
    const before = acknowledged.size;
    await until(() => Promise.resolve(acknowledged.size > before + 40));
    running = false;
    await Promise.all(load);

    const objects = await DirectoryObjects.open(folder);
    const fetchObject = (path: string): Promise<Uint8Array | undefined> => objects.get(path);
    const checkpoint = await fetchCheckpoint(fetchObject, noteVerifiers([SIGNER.vkey]), SIGNER.name);
    expect((await audit(fetchObject, checkpoint)).fault).toBeUndefined();
    expect(new Set(acknowledged.values()).size).toBe(acknowledged.size);
    for (const [body, index] of acknowledged)
      expect((await post(second, body)).said).toMatchObject({ index, duplicate: true });

    second.child.kill("SIGTERM");
    expect(await once(second.child, "exit")).toEqual([0, null]);
  }, 120_000);
});
