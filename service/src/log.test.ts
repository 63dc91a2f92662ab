import { setTimeout as sleep } from "node:timers/promises";

import { formatHex, utf8 } from "@bootproof/bytes";
import { leafHash, Log, verifyTlogProof, type LogOptions } from "@bootproof/log";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Journal, type LocalSequencer, type RunningServer, type Sequencer } from "./log.ts";
import { ask, everyone, newPlace, serve, SIGNER, startSequencer, Wire } from "./served-log.testing.ts";

interface Answered {
  index: number;
  leafHash: string;
  proof: string;
  duplicate?: boolean;
  statusUrl?: string;
  status?: string;
  error?: { code: string };
}

let place: LogOptions & { readonly folder: string };
let sequencer: LocalSequencer;
let server: RunningServer;
const lines: string[] = [];
const journal = new Journal((text) => lines.push(...text.trimEnd().split("\n")));

beforeAll(async () => {
  place = await newPlace();
  sequencer = await startSequencer(place);
  server = await serve(place, sequencer, { admission: () => Promise.resolve(everyone), journal });
});
afterAll(() => server.stop());

const post = async (body: string, path = "v1/entries"): Promise<{ status: number; said: Answered }> => {
  const answer = await fetch(server.url + path, { method: "POST", body });
  return { status: answer.status, said: (await answer.json()) as Answered };
};

describe("submissions over HTTP: who is told yes can prove it, for ever", () => {
  it("answers with a proof that anybody verifies offline", async () => {
    const { status, said } = await post("an entry");
    expect(status).toBe(200);
    const proof = utf8(said.proof);
    expect(verifyTlogProof({ proof, leaf: utf8("an entry"), policy: { logKey: SIGNER.vkey } }).answer).toBe(
      "yes",
    );
    expect(said.leafHash).toBe(formatHex(leafHash(utf8("an entry"))));
    const told = await fetch(`${server.url}v1/entries/${said.leafHash}`);
    expect(await told.json()).toMatchObject({
      status: "published",
      index: said.index,
      leafHash: said.leafHash,
    });
  });

  it("answers for an entry that is there with its place and a proof", async () => {
    const first = await post("twice");
    const second = await post("twice");
    expect(second.status).toBe(200);
    expect(second.said).toMatchObject({ index: first.said.index, duplicate: true });
    expect(first.said.duplicate).toBeUndefined();
    expect(verifyTlogProof({ proof: utf8(second.said.proof), policy: { logKey: SIGNER.vkey } }).answer).toBe(
      "yes",
    );
  });

  it("gives many at once a place each", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => post(`many ${String(at)}`)),
    );
    expect(new Set(answers.map(({ said }) => said.index)).size).toBe(200);
  });

  it("says where to ask when it is not to wait, and later what became of it", async () => {
    const { status, said } = await post("no hurry", "v1/entries?wait=0").catch(() =>
      post("hurry", "v1/entries?wait=0"),
    );
    expect([status, said.error?.code]).toEqual([403, "BP-ADMIT-010"]);
    const later = await post("later", "v1/entries?wait=0");
    expect(later.status).toBe(202);
    expect(later.said.statusUrl).toBe(`/v1/entries/${later.said.leafHash}`);
    for (let tries = 0; ; tries++) {
      const told = (await (
        await fetch(server.url + (later.said.statusUrl ?? "").slice(1))
      ).json()) as Answered;
      if (told.status === "published") break;
      expect(told.status).toBe("pending");
      expect(tries).toBeLessThan(200);
      await sleep(10);
    }
  });

  it("refuses what it is not asked in its words", async () => {
    for (const [path, status, code] of [
      ["v1/entries?wait=1&wait=2", 400, "BP-SERVE-004"],
      ["v1/entries?wait=-1", 400, "BP-SERVE-004"],
      ["v1/entries?wait=1e9", 400, "BP-SERVE-004"],
      ["v1/entries?other=1", 400, "BP-SERVE-004"],
      ["v1/entries/", 404, "BP-SERVE-001"],
    ] as const) {
      const answer = await post("x", path);
      expect([path, answer.status, answer.said.error?.code]).toEqual([path, status, code]);
    }
    for (const path of [
      "/v1/entries",
      "/v1/entries/../entries",
      "/v1/%65ntries",
      `/v1/entries/${"A".repeat(64)}`,
    ])
      expect(await ask(server.url, `GET ${path} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 40[45] /);
    const none = await fetch(`${server.url}v1/entries/${"0".repeat(64)}`);
    expect([none.status, none.headers.get("cache-control")]).toEqual([404, null]);
    expect((await post("x".repeat(65_536))).status).toBe(413);
  });

  it("tells of each request in its journal, and of no body", async () => {
    await post("a secret entry");
    journal.flush();
    const last = JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
    expect(last).toMatchObject({
      level: "info",
      method: "POST",
      route: "entries",
      status: 200,
      publisher: "Acme",
    });
    expect(typeof last["ms"]).toBe("number");
    expect(lines.join("\n")).not.toContain("secret");
    const metrics = await (await fetch(`${server.url}metrics`)).text();
    expect(metrics).toMatch(/bootproof_http_requests_total\{route="entries",status="200"\} [0-9]+\n/);
    expect(metrics).toMatch(/bootproof_refusals_total\{code="BP-ADMIT-010"\} 1\n/);
    expect(metrics).not.toContain("Acme");
  });

  it("sends away what finds no room, with a time to come back", async () => {
    const small = await startSequencer(await newPlace(), { maxPending: 1, batchAge: 300 });
    const other = await serve(place, small, { admission: () => Promise.resolve(everyone) });
    const first = fetch(`${other.url}add`, { method: "POST", body: "first" });
    await expect.poll(() => small.status().pending).toBe(1);
    for (const path of ["add", "v1/entries"]) {
      const answer = await fetch(other.url + path, { method: "POST", body: "second" });
      expect([path, answer.status]).toEqual([path, 503]);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(30);
    }
    expect((await first).status).toBe(200);
    await other.stop();
  });

  it("says that a frozen log takes no more, and still serves it", async () => {
    const frozen = await newPlace();
    const log = await Log.open(frozen);
    await log.append([utf8("last")]);
    await log.freeze();
    await log.close();
    const other = await serve(frozen, await startSequencer(frozen), {
      admission: () => Promise.resolve(everyone),
    });
    const answer = await fetch(`${other.url}v1/entries`, { method: "POST", body: "later" });
    expect([answer.status, ((await answer.json()) as Answered).error?.code]).toEqual([410, "BP-SERVE-010"]);
    expect(await (await fetch(`${other.url}readyz`)).text()).toBe("not ready: the log is frozen\n");
    expect((await fetch(`${other.url}tile/0/000.p/1`)).status).toBe(200);
    await other.stop();
  });

  it("promises nothing for an entry when its index is another one's", async () => {
    await post("one entry");
    await post("another entry");
    const lying: Sequencer = {
      fault: sequencer.fault,
      status: () => sequencer.status(),
      stop: () => Promise.resolve(),
      sequence: (entry) => sequencer.sequence(entry),
      submit: async (entry) => ({ index: (await sequencer.submit(entry)).index - 1n, duplicate: true }),
    };
    const other = await serve(place, lying, { admission: () => Promise.resolve(everyone) });
    const answer = await fetch(`${other.url}v1/entries`, { method: "POST", body: "another entry" });
    expect([answer.status, ((await answer.json()) as Answered).error?.code]).toEqual([500, "BP-SERVE-007"]);
    await other.stop();
  });

  it("promises nothing when a tile was changed, and says that it is not ready", async () => {
    const other = await newPlace();
    const second = await startSequencer(other);
    for (let at = 0; at < 300; at++) void second.submit(utf8(`entry ${String(at)}`));
    await second.submit(utf8("last"));
    let damaged = false;
    const objects = {
      ...other.objects,
      get: async (key: string): Promise<Uint8Array | undefined> => {
        const bytes = await other.objects.get(key);
        if (damaged && key === "tile/0/000" && bytes !== undefined) bytes[0] = (bytes[0] ?? 0) ^ 1;
        return bytes;
      },
    };
    const running = await serve({ ...other, objects }, second, {
      admission: () => Promise.resolve(everyone),
    });
    damaged = true;
    const answer = await fetch(`${running.url}v1/entries`, { method: "POST", body: "entry 5" });
    expect([answer.status, ((await answer.json()) as Answered).error?.code]).toEqual([500, "BP-SERVE-007"]);
    expect((await fetch(`${running.url}readyz`)).status).toBe(503);
    expect((await fetch(`${running.url}healthz`)).status).toBe(200);
    await running.stop();
  });
});

describe("a server among strangers: one that asks badly harms no one else", () => {
  it("lets go of whoever does not finish asking", async () => {
    const slow = new Wire(server.url).send("GET /checkpoint HTTP/1.1\r\nHo");
    const half = new Wire(server.url).send(
      "POST /v1/entries HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    );
    await half.sent();
    half.hangUp();
    expect(await slow.until(({ closed }) => closed)).toMatch(/^HTTP\/1\.1 408 /);
    expect((await fetch(`${server.url}healthz`)).status).toBe(200);
    journal.flush();
    const told = lines.map((line) => JSON.parse(line) as { status: number; bytes: number });
    expect(told.filter(({ status }) => status === 499)).toHaveLength(1);
  }, 30_000);

  it("refuses headers beyond bounds, and what is no HTTP", async () => {
    expect(await ask(server.url, `GET /checkpoint HTTP/1.1\r\nX: ${"y".repeat(9000)}`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await ask(server.url, "what?")).toMatch(/^HTTP\/1\.1 400 /);
    const doubled = "POST /v1/entries HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked";
    expect(await ask(server.url, doubled)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("does not take the body of a refused request for the next one", async () => {
    const wire = new Wire(server.url).send(
      "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
    );
    const answer = await wire.until(({ closed }) => closed);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it("ends while posts wait: each is answered, and nothing that was promised is lost", async () => {
    const other = await newPlace();
    const second = await startSequencer(other, { batchAge: 5_000 });
    const running = await serve(other, second, { admission: () => Promise.resolve(everyone) });
    const waiting = Promise.all(
      Array.from({ length: 20 }, async (_, at) =>
        fetch(`${running.url}v1/entries`, { method: "POST", body: `entry ${String(at)}` }),
      ),
    );
    while (second.status().pending < 20) await sleep(5);
    const idle = new Wire(running.url);
    await running.stop();
    const answers = await waiting;
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    for (const answer of answers) {
      const { proof } = (await answer.json()) as Answered;
      expect(verifyTlogProof({ proof: utf8(proof), policy: { logKey: SIGNER.vkey } }).answer).toBe("yes");
    }
    await expect(fetch(`${running.url}healthz`)).rejects.toThrow();
    idle.hangUp();
  });
});
