/**
 * A publisher who hands in entries through a hostile proxy in front of `log serve`: it is told where the entry is only
 * with a proof that holds, or that there is no answer; and whatever arrived, however often it was sent, is in the log once.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { formatHex, formatVkey, sha256, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { audit, fetchCheckpoint, LogReader, noteVerifiers } from "@bootproof/log";
import { formatStatement, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "@bootproof/statement";
import { DirectoryObjects } from "@bootproof/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootproof, bootproofJson, scratch, type Outcome } from "./command.ts";
import { honest, HostileProxy, only, TROUBLES, type Answer, type Trouble } from "./hostile-proxy.ts";
import { ServedLog } from "./served-log.ts";

const SBOM = "https://spdx.dev/Document";
const KEY = makeSigningKey("acme.example/key", new Uint8Array(32).fill(7));
const ORIGIN = "log.example.test/hostile";
/** How long an answer may take here before it counts as none, in seconds. */
const PATIENCE = "1";
/** Those that make a writer wait for its patience again and again are left to the readers' tests. */
const SLOW = ["sends a byte a second", "sends no end", "sends headers without end"];

/** Answers every entry with what the first was answered. */
function repeating(): Trouble {
  let first: Answer | undefined;
  const isEntry = (path: string): boolean => path.startsWith("/v1/entries");
  return only(isEntry, async ({ ask, send }) => {
    const answer = await ask();
    first ??= answer;
    await send(first);
  });
}

describe("a publisher behind a hostile proxy: told of an entry that is not there, or logged twice", () => {
  let folder: string;
  let log: string;
  let vkey: string;
  let server: ServedLog;
  let proxy: HostileProxy;
  let count = 0;
  const sent: string[] = [];

  beforeAll(async () => {
    folder = await scratch("hostile-writers");
    log = path.join(folder, "log");
    ({ vkey } = await bootproofJson<{ vkey: string }>(["log", "init", "--log", log, "--origin", ORIGIN], 0));
    const publisher = [
      "publishers:",
      "  - organisation: Acme",
      `    key: ${JSON.stringify(formatVkey(KEY.vkey))}`,
      '    subjects: ["acme-*"]',
      `    may: [${JSON.stringify(SBOM)}]`,
      "    quota: {entriesPerDay: 1000, bytesPerDay: 1000000}",
    ];
    await writeFile(`${log}.private/publishers.yaml`, `${publisher.join("\n")}\n`);
    server = new ServedLog(["--log", log]);
    proxy = await HostileProxy.start(await server.url);
  });
  afterAll(() => server.end("SIGKILL"));

  async function envelope(): Promise<string> {
    const name = `acme-${count++}`;
    const subject = [{ name, digest: { sha256: formatHex(sha256(utf8(name))) } }];
    const statement = formatStatement({ subject, predicateType: SBOM, predicate: {} });
    const file = path.join(folder, `${name}.json`);
    await writeFile(file, await signEnvelope(IN_TOTO_PAYLOAD_TYPE, statement, signerOf(KEY)));
    return file;
  }

  const add = (...files: string[]): Promise<Outcome> =>
    bootproof(["log", "add", ...files, "--log", proxy.url, "--vkey", vkey, "--json"], {
      env: { BOOTPROOF_STATE: path.join(folder, `state-${count}`), BOOTPROOF_HTTP_TIMEOUT: PATIENCE },
    });

  /** How often these bytes are in the log, which must be whole. */
  async function places(file: string): Promise<number[]> {
    const entry = await readFile(file);
    const objects = await DirectoryObjects.open(log);
    const fetch = (key: string): Promise<Uint8Array | undefined> => objects.get(key);
    const head = await fetchCheckpoint(fetch, noteVerifiers([vkey]), ORIGIN);
    expect((await audit(fetch, head)).fault).toBeUndefined();
    const found: number[] = [];
    for await (const { index, entry: one } of (await LogReader.open(fetch, head)).entries())
      if (Buffer.compare(one, entry) === 0) found.push(Number(index));
    return found;
  }

  const indexIn = ({ stdout }: Outcome): unknown => /"index": ?([0-9]+)/.exec(stdout)?.[1];

  it("is told the truth through an honest one, and the same when it asks again", async () => {
    proxy.turn(honest);
    const file = await envelope();
    const [first, again] = [await add(file), await add(file)];
    expect([first.exitCode, first.stderr]).toEqual([0, expect.anything()]);
    expect(again.exitCode).toBe(0);
    expect((await places(file)).map(String)).toEqual([indexIn(first)]);
    expect(indexIn(again)).toBe(indexIn(first));
  });

  it.each(Object.keys(TROUBLES).filter((name) => !SLOW.includes(name)))(
    "is told where its entry is, with a proof, or nothing, by one that %s",
    async (name) => {
      proxy.turn(TROUBLES[name] ?? honest);
      const file = await envelope();
      sent.push(file);
      const told = await add(file);
      expect(told.stderr).not.toMatch(/BP-BUG|\n\s+at |unforeseen/);
      if (told.exitCode === 0) expect((await places(file)).map(String)).toEqual([indexIn(told)]);
      else expect(told.stdout + told.stderr).toMatch(/BP-[A-Z]+-\d+/);
    },
  );

  it("has each of these entries in the log once when it has sent them again", async () => {
    proxy.turn(honest);
    expect(sent.length).toBeGreaterThan(15);
    const { exitCode, stderr } = await add(...sent);
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    for (const file of sent) expect([file, (await places(file)).length]).toEqual([file, 1]);
  });

  it("does not take the answer to an earlier entry for its own", async () => {
    proxy.turn(repeating());
    const before = await envelope();
    expect((await add(before)).exitCode).toBe(0);
    const file = await envelope();
    const told = await add(file);
    expect(told.exitCode).not.toBe(0);
    expect(told.stdout + told.stderr).toMatch(/BP-[A-Z]+-\d+/);
    proxy.turn(honest);
    expect((await places(file)).map(String)).toEqual([indexIn(await add(file))]);
  });
});
