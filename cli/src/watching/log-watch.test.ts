import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { formatVkey, KEY_TYPE, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import {
  addSignatures,
  cosign,
  judgeLogEvidence,
  originHash,
  parseLogEvidence,
  parseLogPolicy,
  parseNote,
  signNote,
} from "@bootproof/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Context } from "../frame/context.ts";
import { scratchFolder } from "../scratch.testing.ts";
import type { AlertDocument } from "./alert-text.ts";
import { LogWatch, type Look } from "./log-watch.ts";
import { Sinks } from "./sinks.ts";
import type { WatchConfig } from "./watch-config.ts";
import { WatchPlace } from "./watch-place.ts";
import { addTo, LOG_KEY, PUBLISHER, releaseEntry, STRANGER, quiet } from "./watched.testing.ts";

const WITNESS = makeSigningKey("w.test", new Uint8Array(32).fill(7), KEY_TYPE.cosignature);
const DAY = 86_400;

describe("watching a log", async () => {
  const root = await scratchFolder();
  let count = 0;
  let log: string;
  let config: WatchConfig;
  let now: number;
  let said: AlertDocument[];
  let broken: (() => boolean) | undefined;

  beforeEach(() => {
    count++;
    log = join(root, `log${String(count)}`);
    now = Math.floor(Date.now() / 1000);
    said = [];
    broken = undefined;
    config = {
      state: join(root, `state${String(count)}`),
      logs: [{ place: log, keys: [LOG_KEY.vkey], witnesses: undefined }],
      names: ["acme-*"],
      publishers: [{ organisation: "acme.test", key: PUBLISHER.vkey, subjects: ["acme-*"] }],
      revoked: [],
      confirmations: undefined,
      every: 60,
      staleAfter: DAY,
      unreadableAfter: 3600,
      witnessAfter: 3600,
      alerts: { stdout: "json", webhooks: [], feed: undefined, exec: [] },
    };
  });

  const context = (): Context =>
    new Context(quiet(true), {
      stdout: {
        write: (text) => {
          if (broken?.() === true) throw new Error("killed");
          said.push(JSON.parse(text) as AlertDocument);
        },
      },
      stderr: { write: () => true },
      env: { BOOTPROOF_STATE: join(root, `remembered${String(count)}`), BOOTPROOF_HTTP_TIMEOUT: "1" },
      cwd: root,
      signal: new AbortController().signal,
    });

  /** Opens everything as a new process would, looks once, and closes it. */
  async function look(): Promise<Look> {
    const place = await WatchPlace.open(config.state);
    try {
      const sinks = await Sinks.open(context(), config.alerts, place.folder);
      const [one] = config.logs;
      const files = await place.log("log.test", log);
      const watch = await LogWatch.open({
        context: context(),
        config,
        log: one!,
        files,
        sinks,
        now: () => now,
      });
      try {
        return await watch.look();
      } finally {
        watch.close();
      }
    } finally {
      await place.close();
    }
  }

  const rules = (): string[] => said.map(({ rule, severity }) => `${rule} ${severity}`);

  async function evidence(): Promise<Uint8Array[]> {
    const names = await readdir(config.state, { recursive: true });
    const files = names.filter((name) => name.endsWith(".evidence"));
    return Promise.all(files.map(async (name) => new Uint8Array(await readFile(join(config.state, name)))));
  }

  it("says what is new and mine, once, and goes on where it stopped", async () => {
    await addTo(log, [
      await releaseEntry("acme-os", "1"),
      await releaseEntry("other", "1"),
      utf8("no statement"),
    ]);
    expect(await look()).toEqual({ log: "log.test", size: 3n, alerts: 2 });
    expect(rules()).toEqual(["new-statement info", "no-statement info"]);
    expect(await look()).toEqual({ log: "log.test", size: 3n, alerts: 0 });
    await addTo(log, [
      await releaseEntry("acme-os", "1", "another kernel", STRANGER),
      await releaseEntry("evil", "1", "acme-os 1", STRANGER),
    ]);
    said = [];
    expect(await look()).toMatchObject({ size: 5n, alerts: 3 });
    expect(said.map(({ rule, severity, entries }) => [rule, severity, ...entries])).toEqual([
      ["new-statement", "alarm", 3],
      ["conflicting-statements", "alarm", 0, 3],
      ["same-measurement", "alarm", 0, 4],
    ]);
  });

  it("reads more than a bundle, in whatever pieces the log grew, and says the same", async () => {
    const entries: Uint8Array[] = Array.from({ length: 600 }, (_, at) => utf8(`entry ${String(at)}`));
    entries[300] = await releaseEntry("acme-os", "1");
    entries[599] = await releaseEntry("acme-os", "1", "another kernel");
    for (const [from, to] of [
      [0, 10],
      [10, 300],
      [300, 600],
    ]) {
      await addTo(log, entries.slice(from, to));
      await look();
    }
    const inPieces = said.map(({ id }) => id).sort();
    said = [];
    config = { ...config, state: `${config.state}.whole` };
    expect(await look()).toMatchObject({ size: 600n });
    expect(said.map(({ id }) => id).sort()).toEqual(inPieces);
    expect(rules()).toContain("conflicting-statements alarm");
  });

  it("says an alert again, with the same ID, when it was killed before the state was saved", async () => {
    await addTo(log, [await releaseEntry("acme-os", "1"), await releaseEntry("acme-os", "2", "acme-os 1")]);
    broken = () => said.length === 2;
    await expect(look()).rejects.toThrow("killed");
    const before = said.map(({ id }) => id);
    expect(before).toHaveLength(2);
    said = [];
    broken = undefined;
    await look();
    expect(said).toHaveLength(3);
    expect(said.map(({ id }) => id)).toEqual(expect.arrayContaining(before));
    said = [];
    await look();
    expect(said).toEqual([]);
  });

  it("makes its index again from the log when it is lost or damaged, without an alert", async () => {
    await addTo(log, [await releaseEntry("acme-os", "1"), utf8("x")]);
    await look();
    const [folder = ""] = await readdir(join(config.state, "logs"));
    await writeFile(join(config.state, "logs", folder, "entries.sqlite"), "damaged");
    await addTo(log, [await releaseEntry("acme-os", "1", "another kernel")]);
    said = [];
    await look();
    expect(rules()).toEqual(["new-statement info", "conflicting-statements alarm"]);
  });

  it("raises an alarm with both checkpoints when the log shrinks, once, and goes on when it is back", async () => {
    await addTo(log, [utf8("a"), utf8("b")]);
    await cp(log, `${log}.old`, { recursive: true });
    await addTo(log, [utf8("c")]);
    await look();
    const config0 = config;
    config = { ...config, logs: [{ ...config.logs[0]!, place: `${log}.old` }] };
    said = [];
    expect(await look()).toMatchObject({ alerts: 1, undecided: "the log shrank from 3 entries to 2" });
    expect(rules()).toEqual(["shrunk-log alarm"]);
    const [file] = await evidence();
    const { seen, shown } = judgeLogEvidence(parseLogEvidence(file!));
    expect([seen.size, shown.size]).toEqual([3n, 2n]);
    expect(said[0]?.details["evidence"]).toContain(".evidence");
    said = [];
    expect(await look()).toMatchObject({ alerts: 0, undecided: "the log shrank from 3 entries to 2" });
    expect(said).toEqual([]);
    config = config0;
    expect(await look()).toEqual({ log: "log.test", size: 3n, alerts: 0 });
  });

  it.each([
    ["of the same size", ["a", "b"], ["a", "x"], "two roots"],
    ["that is larger", ["a", "b", "c"], ["a", "x", "c", "d"], "another beginning"],
  ])("raises an alarm with a proof when the log shows another tree %s", async (_, first, second, outcome) => {
    await addTo(
      log,
      first.map((text) => utf8(text)),
    );
    await addTo(
      `${log}.fork`,
      second.map((text) => utf8(text)),
    );
    await look();
    said = [];
    config = { ...config, logs: [{ ...config.logs[0]!, place: `${log}.fork` }] };
    expect(await look()).toMatchObject({ alerts: 1, undecided: "the log forked" });
    expect(rules()).toEqual(["forked-log alarm"]);
    const [file] = await evidence();
    const parsed = parseLogEvidence(file!);
    expect(parsed.vkey).toBe(formatVkey(LOG_KEY.vkey));
    expect(judgeLogEvidence(parsed).outcome).toBe(outcome);
    said = [];
    await look();
    expect(said).toEqual([]);
  });

  it("goes on with what it remembers while a log changes its key", async () => {
    const next = makeSigningKey("log.test", new Uint8Array(32).fill(9));
    await addTo(log, [utf8("a")]);
    await look();
    const checkpoint = join(log, "checkpoint");
    const { unverifiedText } = parseNote(new Uint8Array(await readFile(checkpoint)));
    await writeFile(checkpoint, await signNote(unverifiedText, [signerOf(next)]));
    expect(await look()).toMatchObject({ undecided: expect.stringContaining("signed") as string });
    config = { ...config, logs: [{ ...config.logs[0]!, keys: [LOG_KEY.vkey, next.vkey] }] };
    expect(await look()).toEqual({ log: "log.test", size: 1n, alerts: 0 });
  });

  it("believes no entry that does not hash to the checkpoint", async () => {
    await addTo(log, [await releaseEntry("acme-os", "1"), utf8("x")]);
    const bundle = join(log, "tile/entries/000.p/2");
    const bytes = await readFile(bundle);
    await rm(bundle, { force: true });
    await writeFile(bundle, bytes.toString("latin1").replace("eyJ", "eyK"), "latin1");
    expect(await look()).toMatchObject({
      size: 0n,
      alerts: 0,
      undecided: expect.stringContaining("hash") as string,
    });
    expect(said).toEqual([]);
  });

  it("says that a log cannot be read only when it has been so for long, and again the next time", async () => {
    await addTo(log, [utf8("a")]);
    await look();
    said = [];
    const fail = async (at: number): Promise<string[]> => {
      now += at;
      expect(await look()).toMatchObject({ undecided: expect.any(String) as string });
      return rules();
    };
    config = {
      ...config,
      staleAfter: 100 * DAY,
      logs: [{ ...config.logs[0]!, place: join(root, "absent") }],
    };
    expect(await fail(0)).toEqual([]);
    expect(await fail(3599)).toEqual([]);
    expect(await fail(1)).toEqual(["unreadable-log warning"]);
    expect(await fail(7200)).toHaveLength(1);
    config = { ...config, logs: [{ ...config.logs[0]!, place: log }] };
    expect(await look()).not.toHaveProperty("undecided");
    config = { ...config, logs: [{ ...config.logs[0]!, place: join(root, "absent") }] };
    expect(await fail(0)).toHaveLength(1);
    expect(await fail(3600)).toHaveLength(2);
  });

  it("says that a checkpoint is stale when nobody has seen a newer one", async () => {
    await addTo(log, [utf8("a")]);
    await look();
    said = [];
    now += DAY + 1;
    expect(await look()).toMatchObject({
      alerts: 0,
      undecided: expect.stringContaining("unchanged") as string,
    });
    expect(rules()).toEqual(["stale-checkpoint warning"]);
    await look();
    expect(said).toHaveLength(1);
    await addTo(log, [utf8("b")]);
    expect(await look()).not.toHaveProperty("undecided");
  });

  describe("with a witness", () => {
    let witness: Server;
    let shows: Uint8Array | undefined;
    let url: string;

    beforeEach(async () => {
      shows = undefined;
      witness = createServer((request, response) => {
        if (shows !== undefined && request.url === `/${originHash("log.test")}/checkpoint`)
          response.end(shows);
        else response.writeHead(404).end();
      });
      await new Promise<void>((resolve) => witness.listen(0, "127.0.0.1", resolve));
      url = `http://127.0.0.1:${String((witness.address() as AddressInfo).port)}/`;
      const policy = `witness w ${formatVkey(WITNESS.vkey)} ${url}\nquorum w\n`;
      config = { ...config, logs: [{ ...config.logs[0]!, witnesses: parseLogPolicy(policy) }] };
    });
    afterEach(() => {
      witness.close();
    });

    async function cosignCheckpoint(time: number, folder = log): Promise<Uint8Array> {
      const file = join(folder, "checkpoint");
      const note = new Uint8Array(await readFile(file));
      const { unverifiedText } = parseNote(note);
      const line = await cosign(unverifiedText, signerOf(WITNESS), BigInt(time));
      const cosigned = addSignatures(note, [line]);
      await writeFile(file, cosigned);
      return cosigned;
    }

    it("does not follow a checkpoint without the quorum, and tells its age by the cosignatures", async () => {
      await addTo(log, [utf8("a")]);
      expect(await look()).toMatchObject({
        size: 0n,
        undecided: expect.stringContaining("quorum") as string,
      });
      await cosignCheckpoint(now);
      expect(await look()).toMatchObject({ size: 1n });
      now += DAY + 1;
      expect(await look()).toMatchObject({ undecided: expect.stringContaining("last cosigned") as string });
      expect(rules()).toEqual(["no-statement info", "stale-checkpoint warning"]);
    });

    it("raises an alarm when the witness has another tree, with a proof", async () => {
      await addTo(log, [utf8("a"), utf8("b"), utf8("c")]);
      await cosignCheckpoint(now);
      await addTo(`${log}.fork`, [utf8("a"), utf8("x")]);
      shows = await cosignCheckpoint(now, `${log}.fork`);
      expect(await look()).toMatchObject({ undecided: "the witness w shows another tree" });
      expect(rules()).toEqual(["no-statement info", "no-statement info", "forked-log alarm"]);
      const [file] = await evidence();
      expect(judgeLogEvidence(parseLogEvidence(file!)).outcome).toBe("another beginning");
    });

    it("raises an alarm when the witness stays ahead, and compares the trees once the log has caught up", async () => {
      await addTo(log, [utf8("a")]);
      await cosignCheckpoint(now);
      await addTo(`${log}.fork`, [utf8("a"), utf8("x")]);
      shows = await cosignCheckpoint(now, `${log}.fork`);
      expect(await look()).not.toHaveProperty("undecided");
      now += 3601;
      said = [];
      expect(await look()).toMatchObject({ undecided: "a witness is ahead of the log" });
      expect(rules()).toEqual(["witness-ahead alarm"]);
      // The witness is gone; what it showed is not.
      shows = undefined;
      await addTo(log, [utf8("b"), utf8("c")]);
      await cosignCheckpoint(now);
      said = [];
      expect(await look()).toMatchObject({ undecided: "the witness w shows another tree" });
      expect(rules()).toContain("forked-log alarm");
    });
  });
});
