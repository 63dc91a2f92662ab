import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { parseTlogProof } from "@bootproof/log";
import { formatStatement, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "@bootproof/statement";
import { verifyBundle } from "@bootproof/verify";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { Context } from "../frame/context.ts";
import { sendRelease } from "../releasing/log-release.ts";
import { formatPolicy, parsePolicy } from "../releasing/policy-file.ts";
import { openStoreAt, publishGuest, signer, type Published } from "../releasing/published.testing.ts";
import { run } from "../run.testing.ts";
import { runProgram } from "../run.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { RemoteLog } from "./remote-log.ts";

const PUBLISHER = signer("example.org/publisher");
const OTHER = signerOf(makeSigningKey("other.example/key", new Uint8Array(32).fill(9)));
const TYPE = "https://example.org/type";

const publishers = (may: string): string => `publishers:
  - organisation: Example
    key: ${JSON.stringify(PUBLISHER.vkey)}
    subjects: ["snp-*"]
    may: ${may}
    quota: {entriesPerDay: 50, bytesPerDay: 1000000}
`;

const statement = (name: string, by = PUBLISHER): Promise<Uint8Array> =>
  signEnvelope(
    IN_TOTO_PAYLOAD_TYPE,
    formatStatement({
      subject: [{ name, digest: { sha256: "ab".repeat(32) } }],
      predicateType: TYPE,
      predicate: {},
    }),
    by,
  );

describe("a log that somebody else serves: what it answers is not taken on trust", () => {
  let folder: string;
  let published: Published;
  const ends: (() => Promise<unknown>)[] = [];
  const notes: string[] = [];
  let url: string;
  let vkey: string;

  const context = (): Context =>
    new Context({ json: false, quiet: false, verbose: false, offline: false } as Context["options"], {
      stdout: { write: () => true },
      stderr: { write: (text) => notes.push(text) },
      env: { BOOTPROOF_STATE: join(folder, "state") },
      cwd: folder,
      signal: new AbortController().signal,
    });

  /** Serves a new log by the program itself; returns its URL and key. */
  async function serve(name: string, may: string): Promise<{ url: string; vkey: string }> {
    const log = join(folder, name);
    await run(["log", "init", "--log", log, "--origin", `example.org/${name}`]);
    const list = join(folder, `${name}.yaml`);
    await writeFile(list, publishers(may));
    const stop = new AbortController();
    let said = "";
    const ended = runProgram(
      ["log", "serve", "--log", log, "--port", "0", "--publishers", list, "--json", "--quiet"],
      {
        stdout: { write: (text) => (said += text) },
        stderr: { write: () => true },
        env: { BOOTPROOF_STATE: join(folder, "state") },
        cwd: folder,
        signal: stop.signal,
      },
    );
    ends.push(() => {
      stop.abort();
      return ended;
    });
    await vi.waitUntil(() => said.includes("}"), { timeout: 10_000 });
    const { url: at, vkeys } = JSON.parse(said) as { url: string; vkeys: string[] };
    return { url: at, vkey: vkeys[0]! };
  }

  beforeAll(async () => {
    folder = await scratchFolder();
    published = await publishGuest(await openStoreAt(join(folder, "store")), PUBLISHER);
    ({ url, vkey } = await serve("log", `[release, provenance, "${TYPE}"]`));
  });
  afterAll(() => Promise.all(ends.map((end) => end())));

  it("publishes a release there, once, with a bundle that verifies offline", async () => {
    const log = await RemoteLog.open(context(), url, vkey);
    const logged = await sendRelease(log, published.signed, (text) => notes.push(text));
    expect(logged).toMatchObject({ index: 1n, duplicate: false });
    const policy = formatPolicy({ release: "snp-guest", publisher: PUBLISHER.vkey, log: vkey });
    const verdict = verifyBundle({ bundle: logged.bundle, policy: parsePolicy(policy, "p") });
    expect(verdict.answer).toBe("yes");
    const again = await sendRelease(log, published.signed, (text) => notes.push(text));
    expect(again).toMatchObject({ index: 1n, duplicate: true });
  });

  it("publishes the release also where the log takes no provenance, and says so", async () => {
    const other = await serve("releases", "[release]");
    const log = await RemoteLog.open(context(), other.url, other.vkey);
    const said: string[] = [];
    expect(await sendRelease(log, published.signed, (text) => said.push(text))).toMatchObject({ index: 0n });
    expect(said.join()).toContain("takes no provenance");
  });

  it("adds files by the command, and says where they are", async () => {
    const file = join(folder, "snp-file.json");
    await writeFile(file, await statement("snp-file"));
    const at = ["--log", url, "--vkey", vkey];
    const { exit, stdout } = await run(["log", "add", file, ...at, "--json"]);
    expect(exit).toBe(0);
    const { size, added } = JSON.parse(stdout) as { size: number; added: { index: number }[] };
    expect(added).toMatchObject([{ file, index: size - 1, duplicate: false }]);
    expect((await run(["lookup", "ab".repeat(32), ...at])).stdout).toContain("artifact snp-file");
    expect((await run(["log", "add", file, ...at, "--policy", file])).exit).toBe(64);
  });

  it("passes a refusal on, with what to do", async () => {
    const log = await RemoteLog.open(context(), url, vkey);
    const error = await log.submit(await statement("acme-x")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "BP-ADMIT-010", exit: 77 });
    expect(error).toMatchObject({ detail: { found: expect.stringContaining("not about acme-x") as string } });
    await expect(log.submit(await statement("snp-x", OTHER))).rejects.toMatchObject({ code: "BP-ADMIT-004" });
  });

  it("refuses a log whose key is another one than expected", async () => {
    await expect(RemoteLog.open(context(), url, OTHER.vkey)).rejects.toThrow();
    await RemoteLog.open(context(), url);
    expect(notes.join()).toContain("was found beside it");
  });

  /** A server in between that answers posts itself, and hands on everything else. */
  async function between(answer: RequestListener): Promise<RemoteLog> {
    const server: Server = createServer((request, response) => {
      if (request.url?.startsWith("/v1/") === true) {
        answer(request, response);
        return;
      }
      void fetch(new URL(request.url ?? "", url)).then(async (got) => {
        response.writeHead(got.status).end(new Uint8Array(await got.arrayBuffer()));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    return RemoteLog.open(context(), `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, vkey);
  }

  const hand =
    (status: number, body: unknown): RequestListener =>
    (_, response) =>
      response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));

  it("believes no proof of another entry, of another log, or of nothing", async () => {
    const direct = await RemoteLog.open(context(), url, vkey);
    const mine = await statement("snp-mine");
    const { bundle } = await direct.submit(await statement("snp-other"));
    const proof = new TextDecoder().decode(bundle);
    const ofAnotherLog = await (async () => {
      const other = await serve("third", `["${TYPE}"]`);
      const log = await RemoteLog.open(context(), other.url, other.vkey);
      return new TextDecoder().decode((await log.submit(mine)).bundle);
    })();
    const { extra } = parseTlogProof(bundle);
    const exchanged = proof.replace(
      Buffer.from(extra!).toString("base64"),
      Buffer.from(mine).toString("base64"),
    );
    for (const lie of [proof, ofAnotherLog, exchanged, "", "rubbish"])
      await expect((await between(hand(200, { index: 2, proof: lie }))).submit(mine)).rejects.toMatchObject({
        code: "BP-ADMIT-014",
        exit: 1,
      });
  });

  it("says what it was told when that is no answer of a log", async () => {
    const mine = await statement("snp-mine");
    const hostile = { error: { code: "BP-BUG-001", message: "\u001b[2J\n not our fault" } };
    const told = await (await between(hand(418, hostile))).submit(mine).catch((error: unknown) => error);
    expect(told).toMatchObject({ code: "BP-ADMIT-016", exit: 69 });
    expect(JSON.stringify(told)).not.toContain("\\u001b[2J");
    for (const [status, body] of [
      [200, "<html>"],
      [200, "[]"],
      [502, "<html>bad gateway"],
      [200, { error: { code: "x", message: "y" } }],
      [404, ""],
    ] as const)
      await expect((await between(hand(status, body))).submit(mine)).rejects.toMatchObject({
        code: "BP-ADMIT-016",
      });
  });

  it("tries again when the log asks for patience, and asks after an entry that waits", async () => {
    const mine = await statement("snp-patient");
    const asked: string[] = [];
    const answers = [
      hand(202, { status: "pending", leafHash: "x", statusUrl: "https://elsewhere.example/" }),
      hand(200, { status: "pending" }),
    ];
    const patient = await between((request, response) => {
      asked.push(`${request.method ?? ""} ${request.url ?? ""}`.slice(0, 20));
      if (asked.length === 1) {
        response.writeHead(503, { "retry-after": "0" }).end();
        return;
      }
      const next = answers.shift();
      if (next !== undefined) {
        next(request, response);
        return;
      }
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = request.method === "POST" ? { method: "POST", body: Buffer.concat(chunks) } : {};
        void fetch(new URL(request.url ?? "", url), body).then(async (got) => {
          response.writeHead(got.status).end(await got.text());
        });
      });
    });
    expect((await patient.submit(mine)).duplicate).toBe(false);
    expect(asked).toEqual([
      "POST /v1/entries",
      "POST /v1/entries",
      expect.stringMatching(/^GET \/v1\/entries\//) as string,
      expect.stringMatching(/^GET \/v1\/entries\//) as string,
      // The real log has never heard of it.
      "POST /v1/entries",
    ]);
  }, 20_000);
});
