/**
 * `bootproof log serve` as an operator runs it: two publishers, a load that kill -9 interrupts again and again, a witness
 * that goes away, a second server on the same log.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { formatVkey, sha256, utf8, formatHex } from "@bootproof/bytes";
import { makeSigningKey, signerOf, type SigningKey } from "@bootproof/bytes/signing";
import { leafHash, verifyTlogProof } from "@bootproof/log";
import { formatStatement, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "@bootproof/statement";
import { execa } from "execa";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { BOOTPROOF, bootproof, bootproofJson, scratch, type Failure } from "./command.ts";

const SBOM = "https://spdx.dev/Document";
const keyOf = (name: string, seed: number): SigningKey => makeSigningKey(name, new Uint8Array(32).fill(seed));
const ACME = keyOf("acme.example/key", 1);
const GLOBEX = keyOf("globex.example/key", 2);
const publisher = (organisation: string, key: SigningKey, subjects: string): string => `
  - organisation: ${organisation}
    key: ${JSON.stringify(formatVkey(key.vkey))}
    subjects: ["${subjects}"]
    may: [${JSON.stringify(SBOM)}]
    quota: {entriesPerDay: 1000, bytesPerDay: 1000000}`;
const PUBLISHERS = `publishers:${publisher("Acme", ACME, "acme-*")}${publisher("Globex", GLOBEX, "globex-*")}\n`;

const envelope = (name: string, key: SigningKey): Promise<Uint8Array<ArrayBuffer>> =>
  signEnvelope(
    IN_TOTO_PAYLOAD_TYPE,
    formatStatement({
      subject: [{ name, digest: { sha256: formatHex(sha256(utf8(name))) } }],
      predicateType: SBOM,
      predicate: {},
    }),
    signerOf(key),
  ).then((bytes) => bytes.slice());

interface Running {
  readonly url: string;
  readonly stderr: () => string;
  end(signal: "SIGTERM" | "SIGKILL" | "SIGINT"): Promise<number | undefined>;
}

/** Starts a verb that serves, and waits until it says where. */
async function serve(args: readonly string[]): Promise<Running> {
  const child = execa(BOOTPROOF, args, { reject: false, stdin: "ignore", buffer: false });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      const found = /listening on\s+(http:\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.then((result) => reject(new Error(`it ended: ${result.shortMessage ?? ""}\n${stderr}`)), reject);
  });
  return {
    url,
    stderr: () => stderr,
    end: async (signal) => {
      child.kill(signal);
      return (await child).exitCode;
    },
  };
}

interface Said {
  readonly index: number;
  readonly leafHash: string;
  readonly proof: string;
  readonly duplicate?: boolean;
  readonly status?: string;
  readonly statusUrl?: string;
  readonly error?: { readonly code: string };
}

async function post(
  { url }: Running,
  body: Uint8Array<ArrayBuffer>,
  query = "",
): Promise<{ status: number; said: Said }> {
  const answer = await fetch(`${url}v1/entries${query}`, { method: "POST", body });
  return { status: answer.status, said: (await answer.json()) as Said };
}

async function newLog(name: string): Promise<{ log: string; vkey: string }> {
  const log = path.join(await scratch(name), "log");
  const { vkey } = await bootproofJson<{ vkey: string }>(
    ["log", "init", "--log", log, "--origin", `${name}.test/log`],
    0,
  );
  return { log, vkey };
}

const start = (log: string, ...more: string[]): Promise<Running> =>
  serve(["log", "serve", "--log", log, "--port", "0", ...more]);

describe("a log over HTTP", () => {
  let log: string;
  let vkey: string;
  beforeAll(async () => {
    ({ log, vkey } = await newLog("serve"));
    await writeFile(`${log}.private/publishers.yaml`, PUBLISHERS);
  });

  it("takes from each publisher what is its own, and proves it to everyone", async () => {
    const server = await start(log);
    const own = await envelope("acme-guest", ACME);
    const { status, said } = await post(server, own);
    expect(status).toBe(200);
    const proof = verifyTlogProof({ proof: utf8(said.proof), leaf: own, policy: { logKey: vkey } });
    expect(proof.answer).toBe("yes");
    expect((await post(server, own)).said).toMatchObject({ index: said.index, duplicate: true });

    expect(await post(server, await envelope("globex-guest", ACME))).toMatchObject({ status: 403 });
    expect(await post(server, await envelope("acme-guest", GLOBEX))).toMatchObject({ status: 403 });
    expect(await post(server, await envelope("acme-guest", keyOf("acme.example/key", 3)))).toMatchObject({
      status: 403,
    });
    expect((await post(server, await envelope("globex-guest", GLOBEX))).status).toBe(200);

    const digest = formatHex(sha256(utf8("acme-guest")));
    await expect
      .poll(async () => (await (await fetch(`${server.url}v1/lookup/${digest}`)).json()) as object)
      .toMatchObject({ matches: [{ index: said.index }] });
    const told = (await (await fetch(`${server.url}v1/entries/${said.leafHash}`)).json()) as Said;
    expect(told).toMatchObject({ status: "published", index: said.index });

    const audit = await bootproofJson<{ answer: string; size: number }>(
      ["log", "audit", "--log", server.url, "--vkey", vkey],
      0,
    );
    expect(audit).toMatchObject({ answer: "yes", size: 2 });
    expect((await fetch(`${server.url}publishers.yaml`)).status).toBe(404);
    expect((await fetch(`${server.url}add`, { method: "POST", body: "x" })).status).toBe(404);
    expect(await server.end("SIGTERM")).toBe(143);
    const lines = server
      .stderr()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      lines.filter(({ route }) => route === "entries").map(({ status: was, publisher: who }) => [was, who]),
    ).toEqual([
      [200, "Acme"],
      [200, "Acme"],
      [403, undefined],
      [403, undefined],
      [403, undefined],
      [200, "Globex"],
    ]);
  });

  it("is its only writer, and says so to the second", async () => {
    const server = await start(log);
    const second = await bootproofJson<Failure>(["log", "serve", "--log", log, "--port", "0"], 75);
    expect(second.error.code).toBe("BP-LOG-014");
    const port = new URL(server.url).port;
    const other = await newLog("serve-port");
    const taken = await bootproofJson<Failure>(["log", "serve", "--log", other.log, "--port", port], 69);
    expect(taken.error.code).toBe("BP-NET-003");
    expect(await server.end("SIGINT")).toBe(130);
  });

  it("refuses to start with a list of publishers that it cannot read", async () => {
    const file = path.join(await scratch("serve-list"), "publishers.yaml");
    await writeFile(file, "publishers: nobody\n");
    const failed = await bootproofJson<Failure>(
      ["log", "serve", "--log", log, "--port", "0", "--publishers", file],
      78,
    );
    expect(failed.error.code).toBe("BP-ADMIT-013");
  });

  it("publishes what it has taken when it is told to end", async () => {
    const server = await start(log, "--batch-age", "60000");
    const waiting = Promise.all(
      Array.from({ length: 5 }, async (_, at) => post(server, await envelope(`acme-late-${at}`, ACME))),
    );
    const pending = async (): Promise<string | undefined> =>
      /bootproof_log_pending ([0-9]+)/.exec(await (await fetch(`${server.url}metrics`)).text())?.[1];
    await expect.poll(pending, { timeout: 10_000 }).toBe("5");
    expect(await server.end("SIGTERM")).toBe(143);
    expect((await waiting).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });
});

describe("a log over HTTP that is killed", () => {
  it("has every entry that it answered for, however often", async () => {
    const { log, vkey } = await newLog("serve-kill");
    const acknowledged = new Map<string, number>();
    let count = 0;
    for (let round = 0; round < 4; round++) {
      const server = await start(log, "--hammer", "--quiet");
      let running = true;
      const lanes = Array.from({ length: 16 }, async () => {
        while (running) {
          const body = `entry ${count++}`;
          try {
            const answer = await fetch(`${server.url}add`, { method: "POST", body });
            if (answer.status === 200) acknowledged.set(body, Number(await answer.text()));
          } catch {
            return; // it was killed
          }
        }
      });
      const before = acknowledged.size;
      await expect.poll(() => acknowledged.size > before + 100, { timeout: 60_000, interval: 5 }).toBe(true);
      await server.end("SIGKILL");
      running = false;
      await Promise.all(lanes);
    }
    const server = await start(log, "--hammer", "--quiet");
    for (const [body, index] of [...acknowledged].slice(-200)) {
      const answer = await fetch(`${server.url}add`, { method: "POST", body });
      expect([body, await answer.text()]).toEqual([body, String(index)]);
    }
    expect(new Set(acknowledged.values()).size).toBe(acknowledged.size);
    const audit = await bootproofJson<{ answer: string }>(
      ["log", "audit", "--log", server.url, "--vkey", vkey],
      0,
    );
    expect(audit.answer).toBe("yes");
    expect(await server.end("SIGTERM")).toBe(143);
  });
});

describe("a log over HTTP whose witness goes away", () => {
  it("promises nothing meanwhile, and everything once the witness is back", async () => {
    const { log, vkey } = await newLog("serve-witness");
    await writeFile(`${log}.private/publishers.yaml`, PUBLISHERS);
    const dir = path.join(await scratch("serve-witness-dir"), "w");
    const { vkeys } = await bootproofJson<{ vkeys: string[] }>(
      ["witness", "init", "--dir", dir, "--name", "w.test"],
      0,
    );
    expect((await bootproof(["witness", "add-log", vkey, "--dir", dir])).exitCode).toBe(0);
    const witness = await serve(["witness", "serve", "--dir", dir, "--listen", "127.0.0.1:0"]);
    const policy = path.join(dir, "policy");
    await writeFile(policy, `log ${vkey}\nwitness w ${vkeys[0] ?? ""} ${witness.url}\nquorum w\n`);
    const first = path.join(dir, "first");
    await writeFile(first, "first");
    expect((await bootproof(["log", "add", first, "--log", log, "--policy", policy])).exitCode).toBe(0);

    const server = await start(log);
    const seen = await post(server, await envelope("acme-seen", ACME));
    expect([seen.status, seen.said.proof]).toEqual([200, expect.stringContaining("— w.test ")]);
    expect(await witness.end("SIGKILL")).toBeUndefined();
    const entry = await envelope("acme-unseen", ACME);
    const unseen = await post(server, entry, "?wait=1");
    expect(unseen.status).toBe(202);
    expect(unseen.said).toMatchObject({ status: "pending", leafHash: formatHex(leafHash(entry)) });
    const status = `${server.url}${(unseen.said.statusUrl ?? "").slice(1)}`;
    expect((await (await fetch(status)).json()) as Said).toMatchObject({ status: "pending" });

    await serve(["witness", "serve", "--dir", dir, "--listen", new URL(witness.url).host]);
    await expect
      .poll(async () => ((await (await fetch(status)).json()) as Said).status, {
        timeout: 60_000,
        interval: 200,
      })
      .toBe("published");
    const { proof } = (await (await fetch(status)).json()) as Said;
    expect(proof).toContain("— w.test ");
    expect((await fetch(`${server.url}readyz`)).status).toBe(200);
    expect(await server.end("SIGTERM")).toBe(143);
  });
});
