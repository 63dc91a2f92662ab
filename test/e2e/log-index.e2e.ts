/**
 * The lookup index of a log, built by a process that is killed again and again: whatever it leaves is gone on with, and
 * proved complete at the end.
 */
import { mkdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { ed25519Signer, Log } from "@bootproof/log";
import { formatStatement, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "@bootproof/statement";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { execa } from "execa";
import { expect, it } from "vitest";
import { BOOTPROOF, bootproofJson, scratch } from "./command.ts";

const ENTRIES = 20_000;
/** Every so many entries there is a statement; signing them all would take longer than the test. */
const STATEMENT_EVERY = 100;
const publisher = signerOf(makeSigningKey("publisher.example/key", new Uint8Array(32).fill(5)));
const digest = (at: number): string => formatHex(sha256(utf8(`artifact ${at}`)));

async function entry(at: number): Promise<Uint8Array> {
  if (at % STATEMENT_EVERY > 0) return utf8(`entry ${at}`);
  const subject = [{ name: `artifact-${at}`, digest: { sha256: digest(at) } }];
  const statement = { subject, predicateType: "https://example.org/type", predicate: {} };
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), publisher);
}

async function makeLog(folder: string): Promise<void> {
  const signer = ed25519Signer("log.example.org", new Uint8Array(32).fill(6));
  const log = await Log.create({
    origin: signer.name,
    signer,
    objects: await DirectoryObjects.open(folder),
    staging: await DirectoryObjects.open(`${folder}.private/staging`),
    head: await DirectoryHead.open(`${folder}.private/head`),
  });
  await log.append(await Promise.all(Array.from({ length: ENTRIES }, (_, at) => entry(at))));
  await log.close();
  await writeFile(path.join(folder, "log.vkey"), `${signer.vkey}\n`);
}

it("comes out complete however often its builder is killed", async () => {
  const folder = path.join(await scratch("log-index"), "log");
  await mkdir(folder, { recursive: true });
  await makeLog(folder);
  const index = `${folder}.private/lookup.sqlite`;
  let killed = 0;
  for (let round = 0; round < 8; round++) {
    const child = execa(BOOTPROOF, ["log", "index", "build", "--log", folder], {
      reject: false,
      stdin: "ignore",
    });
    // It is killed once it has begun to write, a little later each time.
    const begun = async (): Promise<boolean> => (await stat(index).catch(() => undefined)) !== undefined;
    for (let waited = 0; !(await begun()) && waited < 500; waited++) await sleep(20);
    await sleep(200 + round * 100);
    child.kill("SIGKILL");
    if ((await child).signal === "SIGKILL") killed++;
  }
  expect(killed).toBeGreaterThan(0);
  const built = await bootproofJson<{ entries: number }>(["log", "index", "build", "--log", folder], 0);
  expect(built.entries).toBe(ENTRIES);
  const verified = await bootproofJson<object>(["log", "index", "verify", "--log", folder], 0);
  expect(verified).toMatchObject({ answer: "yes", entries: ENTRIES });
  for (const at of [0, 7 * STATEMENT_EVERY, ENTRIES - STATEMENT_EVERY]) {
    const found = await bootproofJson<object>(["lookup", digest(at), "--log", folder], 0);
    expect(found).toMatchObject({
      indexed: ENTRIES,
      found: [{ index: at, what: `artifact artifact-${at}` }],
    });
  }
}, 300_000);
