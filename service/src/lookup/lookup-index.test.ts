import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { formatHex, utf8 } from "@bootproof/bytes";
import { leafHash, Log, type LogReader } from "@bootproof/log";
import type { PlatformMeasurements } from "@bootproof/statement";
import { KeyIndex } from "@bootproof/store/key-index";
import { digestKey, heldDigests, keysOf, parseWanted, tryReadEntry, type Wanted } from "@bootproof/verify";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import {
  ACME,
  GLOBEX,
  provenanceStatement,
  REBUILDER,
  rebuildOf,
  releaseStatement,
  sbomStatement,
  seal,
} from "../admission/tenants.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { newPlace } from "../served-log.testing.ts";
import { LogFollower } from "./follow-log.ts";
import { LookupIndex, scan } from "./lookup-index.ts";
import { verifyIndex } from "./verify-index.ts";

const unknownVmm: PlatformMeasurements = {
  platform: "snp",
  vmm: "later-vmm",
  kernelHashes: false,
  axes: { vcpus: "1..4", cpu: ["EPYC-v4"], guestFeatures: ["0x1"] },
  reference: {
    prefix: "ef".repeat(48),
    vmsas: [{ cpuSignature: "0x800f12", guestFeatures: "0x1", bsp: "ab".repeat(48), ap: "cd".repeat(48) }],
  },
};
const statements: readonly Uint8Array[] = [
  await seal(releaseStatement("acme-guest"), ACME),
  await seal(releaseStatement("globex-guest"), GLOBEX),
  utf8("no statement"),
  await seal(provenanceStatement("acme-guest"), ACME),
  await seal(sbomStatement("acme-a", "acme-b"), ACME),
  await seal(rebuildOf(1), REBUILDER),
  await seal(releaseStatement("acme-later", { measurements: [unknownVmm] }), ACME),
];
const entries = [...statements, ...Array.from({ length: 300 }, (_, at) => utf8(`filler ${at}`))];

let folder: string;
let log: Log;
let reader: LogReader;
beforeAll(async () => {
  folder = await scratchFolder();
  log = await Log.open(await newPlace());
  await log.append(entries);
  reader = log.reader;
});
let files = 0;
const newIndex = (): LookupIndex => LookupIndex.open(join(folder, `${files++}.sqlite`));
const wanted = (text: string): Wanted => parseWanted(text)!;
const everything = entries.flatMap((entry) =>
  [...heldDigests(entry, tryReadEntry(entry))].flatMap((held) => (held === "more" ? [] : [held.digest])),
);

describe("lookup index: who asks must be told every entry", () => {
  it("answers as looking through the log does, page by page", async () => {
    const index = newIndex();
    expect(await index.follow(reader)).toBe(BigInt(entries.length));
    const keyids = [ACME, GLOBEX, REBUILDER].map(({ vkey }) => `${vkey.name}+${vkey.keyId}`);
    const questions = fc.constantFrom(...everything.slice(0, 60), ...keyids, "0".repeat(64), "f".repeat(96));
    await fc.assert(
      fc.asyncProperty(questions, fc.integer({ min: 1, max: 5 }), async (text, limit) => {
        const found = [];
        const unsearched = [];
        for (let from: bigint | undefined = 0n; from !== undefined;) {
          const page = await index.find(reader, wanted(text), { from, limit });
          expect(page.matches.length).toBeLessThanOrEqual(limit);
          found.push(...page.matches);
          unsearched.push(...page.unsearched);
          from = page.next;
        }
        expect({ matches: found, unsearched }).toEqual(await scan(reader, wanted(text)));
      }),
      { numRuns: 60 },
    );
    index.close();
  });

  it("says which entries it could not search", async () => {
    const index = newIndex();
    await index.follow(reader);
    const { matches, unsearched } = await index.find(reader, wanted("f".repeat(96)), { limit: 10 });
    expect({ matches, unsearched }).toEqual({ matches: [], unsearched: [6n] });
    index.close();
  });

  it("believes nothing that the tree does not say", async () => {
    const keys = KeyIndex.open(join(folder, "forged.sqlite"));
    const claimed = "a".repeat(64);
    const leaf = (entry: Uint8Array): Uint8Array => digestKey(formatHex(leafHash(entry)));
    keys.append(entries.map((entry) => [digestKey(claimed), leaf(entry)]));
    keys.close();
    const index = LookupIndex.open(join(folder, "forged.sqlite"));
    expect((await index.find(reader, wanted(claimed), { limit: 10 })).matches).toEqual([]);
    // What is read in vain is bounded, and the next page goes on behind it.
    expect((await index.find(reader, wanted(claimed), { limit: 10 })).next).toBe(256n);
    index.close();
  });

  it("goes on where it was stopped, and begins anew for another log", async () => {
    const path = join(folder, "stopped.sqlite");
    const first = LookupIndex.open(path);
    const stop = new AbortController();
    stop.abort();
    expect(await first.follow(reader, stop.signal)).toBe(0n);
    await first.follow(reader);
    first.close();
    const again = LookupIndex.open(path);
    expect(await again.follow(reader)).toBe(0n);
    const other = await Log.open(await newPlace());
    await other.append([utf8("another log")]);
    await again.follow(other.reader);
    expect(again.entries).toBe(1n);
    await other.close();
    again.close();
  });

  it("follows a log as it grows", async () => {
    const growing = await Log.open(await newPlace());
    const index = newIndex();
    const failures: unknown[] = [];
    const follower = new LogFollower({
      index,
      reader: () => Promise.resolve(growing.reader),
      report: (error) => failures.push(error),
      everyMs: 5,
    });
    for (let at = 0; at < 3; at++) {
      await growing.append([utf8(`entry ${at}`)]);
      const leaf = formatHex(leafHash(utf8(`entry ${at}`)));
      await expect
        .poll(async () => (await index.find(growing.reader, wanted(leaf), { limit: 1 })).matches.length)
        .toBe(1);
    }
    await follower.stop();
    expect(failures).toEqual([]);
    index.close();
    await growing.close();
  });
});

describe("verifying an index: one that lacks a key would hide a statement", () => {
  /** An index with the keys of each entry changed. */
  async function verify(change: (keys: Uint8Array[], at: number) => Uint8Array[]): Promise<unknown> {
    const path = join(folder, `${files++}.sqlite`);
    const keys = KeyIndex.open(path);
    keys.append(entries.map((entry, at) => change(keysOf(entry), at)));
    keys.close();
    const index = LookupIndex.open(path);
    try {
      const { fault, entries: compared } = await verifyIndex(index, () => Promise.resolve(reader));
      return fault ?? Number(compared);
    } finally {
      index.close();
    }
  }

  it("says that one made from the log is complete", async () => {
    const index = newIndex();
    await index.follow(reader);
    const report = await verifyIndex(index, () => Promise.resolve(reader));
    expect(report).toMatchObject({ entries: BigInt(entries.length), keys: index.keys.pairs });
    expect(report.fault).toBeUndefined();
    index.close();
    expect(await verify((keys) => keys)).toBe(entries.length);
  });

  it("names the first entry with a missing key, whichever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(statements.length - 1), fc.nat(), async (at, pick) => {
        const fault = await verify((keys, index) =>
          index < at ? keys : keys.filter((_, key) => key !== pick % keys.length),
        );
        expect(fault).toMatchObject({
          entry: BigInt(at),
          reason: expect.stringContaining("missing") as string,
        });
      }),
      { numRuns: 12 },
    );
  });

  it("names the first entry with a key that it does not have", async () => {
    const extra = digestKey("9".repeat(64));
    const fault = await verify((keys, at) => (at === 3 || at === 5 ? [...keys, extra] : keys));
    expect(fault).toEqual({ entry: 3n, reason: "the index holds 1 keys of it that it does not have" });
    const swapped = await verify((keys, at) => (at === 4 ? [...keys.slice(1), extra] : keys));
    expect(swapped).toMatchObject({ entry: 4n });
  });

  it("names where it ends too early or goes on too long", async () => {
    const short = newIndex();
    short.keys.append(entries.slice(0, 9).map(keysOf));
    expect((await verifyIndex(short, () => Promise.resolve(reader))).fault).toMatchObject({ entry: 9n });
    short.close();
    const long = newIndex();
    long.keys.append([...entries, utf8("not there")].map(keysOf));
    expect((await verifyIndex(long, () => Promise.resolve(reader))).fault).toMatchObject({
      entry: BigInt(entries.length),
    });
    long.close();
  });

  it("finds keys that were planted where no entry is", async () => {
    const path = join(folder, `${files++}.sqlite`);
    const keys = KeyIndex.open(path);
    keys.append(entries.map(keysOf));
    keys.close();
    const [key] = keysOf(entries[0]!);
    for (const planted of [-1, 2.5, "word"]) {
      const database = new DatabaseSync(path);
      database.prepare("INSERT INTO key_entry VALUES (?, ?)").run(key!, planted);
      database.close();
      const index = LookupIndex.open(path);
      const { fault } = await verifyIndex(index, () => Promise.resolve(reader));
      expect(fault?.reason).toBe("the index holds entries that the log does not have");
      index.close();
      const cleaned = new DatabaseSync(path);
      cleaned.prepare("DELETE FROM key_entry WHERE entry = ?").run(planted);
      cleaned.close();
    }
  });
});
