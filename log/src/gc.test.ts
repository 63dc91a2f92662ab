import { formatHex, ParseError, sha256, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { audit } from "./audit.ts";
import { formatGcMarker, parseGcMarker } from "./gc-marker.ts";
import { collectPartials, type GcReport } from "./gc.ts";
import { expectOneSpelling, expectParserToSurvive } from "./hostile.testing.ts";
import { Log } from "./log.ts";
import { LogReader } from "./log-reader.ts";
import {
  entriesFrom,
  Killed,
  logOn,
  MemoryDisk,
  MemoryProcess,
  type KillPoint,
} from "./memory-store.testing.ts";
import type { TreeHead } from "./consistency.ts";
import { partialTiles, formatTilePath } from "./tile-path.ts";

const HOUR = 3600;

async function collect(disk: MemoryDisk, head: TreeHead, now: number, kill?: KillPoint): Promise<GcReport> {
  const { objects, staging } = new MemoryProcess(disk, kill);
  const reader = await LogReader.open((path) => Promise.resolve(disk.objects.get(path)), head);
  return collectPartials({ objects, staging, reader, now, keep: HOUR });
}

const partials = (disk: MemoryDisk): string[] =>
  [...disk.objects.keys()].filter((file) => file.includes(".p/"));
const state = (disk: MemoryDisk): string[] =>
  Array.from(disk.objects, ([file, bytes]) => `${file} ${formatHex(sha256(bytes))}`).toSorted();

/** A log with a public checkpoint at every one of the sizes. */
const SIZES = [100, 250, 300, 511, 513, 1000, 1024, 1030, 1300];
let grown: MemoryDisk;
const heads: TreeHead[] = [];
beforeAll(async () => {
  grown = new MemoryDisk();
  const log = await Log.create(logOn(grown));
  let size = 0;
  for (const next of SIZES) {
    await log.append(entriesFrom(size, next - size));
    size = next;
    heads.push(log.reader.head);
  }
});

async function expectReadable(disk: MemoryDisk, head: TreeHead): Promise<void> {
  expect((await audit((path) => Promise.resolve(disk.objects.get(path)), head)).fault).toBeUndefined();
}

describe("garbage collection of partial tiles: a checkpoint that someone holds and can no longer read", () => {
  it("removes nothing at first, and after an hour what no checkpoint of that hour implies", async () => {
    const disk = grown.copy();
    const early = heads[4]!; // 513 entries were public an hour ago
    expect(await collect(disk, early, 10_000)).toEqual({ removed: 0, collected: 0n, size: 513n });
    const head = heads.at(-1)!;
    expect(await collect(disk, head, 10_000 + HOUR - 1)).toMatchObject({ removed: 0, collected: 0n });
    expect(await collect(disk, head, 10_000 + HOUR)).toEqual({ removed: 8, collected: 512n, size: 1300n });
    const left = partials(disk);
    for (const { size } of heads.slice(4))
      for (const tile of partialTiles(size)) expect(left).toContain(formatTilePath(tile));
    expect(left.filter((file) => /\/00[01]\.p\//.test(file) && !file.startsWith("tile/1/"))).toEqual([]);
    for (const older of heads) await expectReadable(disk, older);
  });

  it("comes to the same end when it is killed anywhere, and the log is written to meanwhile", async () => {
    const [early, head] = [heads[6]!, heads.at(-1)!];
    const whole = grown.copy();
    await collect(whole, early, 10_000);
    await collect(whole, head, 10_000 + HOUR);
    for (let after = 0; after < 60; after++) {
      const disk = grown.copy();
      await collect(disk, early, 10_000);
      const coin = (nth: number): boolean => nth % 2 === 0;
      await collect(disk, head, 10_000 + HOUR, { after, coin }).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      for (const older of heads) await expectReadable(disk, older);
      await collect(disk, head, 10_001 + HOUR);
      expect(state(disk)).toEqual(state(whole));
      const log = await Log.open(logOn(disk));
      await log.append(entriesFrom(5000, 300));
      expect((await log.audit()).fault).toBeUndefined();
    }
  });

  it("leaves the partial ones where the full one is missing or damaged, and names it", async () => {
    for (const file of ["tile/0/001", "tile/entries/001"])
      for (const damage of ["gone", "flipped"]) {
        const disk = grown.copy();
        await collect(disk, heads[6]!, 10_000);
        const bytes = disk.objects.get(file)!;
        if (damage === "gone") disk.objects.delete(file);
        else disk.objects.set(file, bytes.with(40, bytes[40]! ^ 1));
        const before = partials(disk).filter((name) => name.includes("/001.p/"));
        await expect(collect(disk, heads.at(-1)!, 10_000 + HOUR)).rejects.toMatchObject({ file });
        expect(partials(disk).filter((name) => name.includes("/001.p/"))).toEqual(before);
      }
  });

  it("never trusts a clock that went back, nor a marker that saw a larger log", async () => {
    const disk = grown.copy();
    await collect(disk, heads.at(-1)!, 1_000_000);
    expect(await collect(disk, heads.at(-1)!, 500_000)).toMatchObject({ removed: 0 });
    const small = new MemoryDisk();
    const log = await Log.create(logOn(small));
    await log.append(entriesFrom(0, 100));
    await log.append(entriesFrom(100, 160));
    small.staging.set("gc", formatGcMarker({ collected: 0n, seen: [{ size: 9999n, time: 1 }] }));
    expect(await collect(small, log.reader.head, 1_000_000)).toMatchObject({ removed: 2, collected: 256n });
  });

  it("removes partial tiles of higher levels too", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    for (const [from, count] of [
      [0, 300],
      [300, 65_000],
      [65_300, 300],
    ] as const)
      await log.append(entriesFrom(from, count));
    expect(partials(disk)).toContain("tile/1/000.p/1");
    await collect(disk, log.reader.head, 0);
    const { removed } = await collect(disk, log.reader.head, HOUR);
    expect(removed).toBeGreaterThan(4);
    expect(partials(disk).toSorted()).toEqual(
      [...partialTiles(65_600n).map(formatTilePath), "tile/entries/256.p/64"].toSorted(),
    );
    await expectReadable(disk, log.reader.head);
  }, 60_000);
});

describe("the collector's marker: collecting too much because a file was damaged", () => {
  const marker = formatGcMarker({
    collected: 512n,
    seen: [
      { size: 513n, time: 7 },
      { size: 600n, time: 9 },
    ],
  });

  it("survives any bytes and has one spelling", () => {
    expectParserToSurvive(parseGcMarker, marker);
    expectOneSpelling((bytes) => formatGcMarker(parseGcMarker(bytes)), marker);
    for (const text of [
      "",
      "bootproof.log/gc@v1\n",
      "bootproof.log/gc@v1\ncollected 01\n",
      "bootproof.log/gc@v1\ncollected 1",
    ])
      expect(() => parseGcMarker(utf8(text))).toThrow(ParseError);
  });

  it("reads what it writes", () => {
    const size = fc.record({ size: fc.bigInt(0n, 2n ** 63n - 1n), time: fc.maxSafeNat() });
    fc.assert(
      fc.property(fc.record({ collected: fc.bigInt(0n, 2n ** 63n - 1n), seen: fc.array(size) }), (value) => {
        expect(parseGcMarker(formatGcMarker(value))).toEqual(value);
      }),
    );
  });
});
