import { formatHex, ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectOneSpelling, expectParserToSurvive } from "./hostile.testing.ts";
import { LogError } from "./log-error.ts";
import { formatLogHead, parseLogHead } from "./log-head.ts";
import { expectWhole, live, Promises } from "./log-life.testing.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk, MemoryProcess, TEST_SIGNER } from "./memory-store.testing.ts";
import { ed25519Signer } from "./signer.ts";
import { encodeStage, parseStage, stageName } from "./stage.ts";

describe("recovery: an entry that was acknowledged and is gone, or a log that split", () => {
  it("keeps every promise, whichever operation was the last", async () => {
    const sizes = [1, 254, 3, 1, 260];
    const batches = sizes.map((count, at) => entriesFrom(at * 1000, count));
    const dry = new MemoryDisk();
    const process = new MemoryProcess(dry);
    const { objects, staging, head } = process;
    const log = await Log.create({ ...logOn(dry), objects, staging, head });
    for (const batch of batches) await log.append(batch);
    expect(process.operations).toBeGreaterThan(50);
    for (let after = 0; after <= process.operations; after++)
      for (const coin of [() => false, () => true, (nth: number) => nth % 2 === 0]) {
        const disk = new MemoryDisk();
        const told = new Promises();
        await live(disk, batches, told, { after, coin });
        await live(disk, batches, told);
        await expectWhole(disk, told);
      }
  }, 120_000);

  it("keeps every promise through random batches and many deaths", async () => {
    const life = fc.record({
      batches: fc.array(fc.tuple(fc.nat(700), fc.integer({ min: 1, max: 300 })), {
        minLength: 1,
        maxLength: 4,
      }),
      after: fc.nat(60),
      coins: fc.infiniteStream(fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
        const disk = new MemoryDisk();
        const told = new Promises();
        for (const { batches, after, coins } of lives) {
          const coin = (): boolean => coins.next().value === true;
          const entries = batches.map(([from, count]) => entriesFrom(from, count));
          await live(disk, entries, told, { after, coin });
        }
        await live(disk, [], told);
        await expectWhole(disk, told);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it("changes nothing when it runs twice", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    await log.append(entriesFrom(0, 10));
    await live(disk, [entriesFrom(10, 300)], new Promises(), { after: 8, coin: () => true });
    await Log.open(logOn(disk));
    const before = [disk.objects, disk.staging].map((map) => new Map(map));
    await Log.open(logOn(disk));
    expect([disk.objects, disk.staging]).toEqual(before);
    expect(disk.published.length).toBeGreaterThan(1);
  });
});

/** A log of 300 entries, then 310, and the disk at both sizes. */
async function twoStates(): Promise<{ older: MemoryDisk; newer: MemoryDisk }> {
  const newer = new MemoryDisk();
  const log = await Log.create(logOn(newer));
  await log.append(entriesFrom(0, 300));
  const older = newer.copy();
  await log.append(entriesFrom(300, 10));
  return { older, newer };
}

describe("recovery: a writer that goes on where it must not would sign a fork", () => {
  it.each([
    [
      "the head was rolled back behind the public checkpoint",
      "ROLLBACK",
      (newer: MemoryDisk, older: MemoryDisk) => (newer.head = older.head),
    ],
    [
      "the public checkpoint is of the same size and another root",
      "FORK",
      async (newer: MemoryDisk) => {
        const other = new MemoryDisk();
        await (await Log.create(logOn(other))).append(entriesFrom(5000, 310));
        newer.objects.set("checkpoint", other.objects.get("checkpoint")!);
      },
    ],
    [
      "the public checkpoint is of a smaller tree that this one does not begin with",
      "FORK",
      async (newer: MemoryDisk) => {
        const other = new MemoryDisk();
        await (await Log.create(logOn(other))).append(entriesFrom(5000, 200));
        newer.objects.set("checkpoint", other.objects.get("checkpoint")!);
      },
    ],
    [
      "the head's signature does not verify",
      "BAD_SIGNATURE",
      (newer: MemoryDisk) => {
        const bytes = newer.head!.bytes.slice();
        const at = Buffer.from(bytes).lastIndexOf("\n310\n");
        bytes[at + 3] = 0x31;
        newer.head = { ...newer.head!, bytes };
      },
    ],
    [
      "the head is torn",
      "CORRUPT_OBJECT",
      (newer: MemoryDisk) => (newer.head = { ...newer.head!, bytes: newer.head!.bytes.slice(0, 40) }),
    ],
    [
      "a tile of the right edge is wrong",
      "CORRUPT_OBJECT",
      (newer: MemoryDisk) =>
        newer.objects.set("tile/0/001.p/54", newer.objects.get("tile/0/001.p/54")!.with(5, 9)),
    ],
    [
      "a tile of the right edge is gone",
      "MISSING_OBJECT",
      (newer: MemoryDisk) => newer.objects.delete("tile/1/000.p/1"),
    ],
    [
      "the last bundle is wrong",
      "CORRUPT_OBJECT",
      (newer: MemoryDisk) =>
        newer.objects.set("tile/entries/001.p/54", newer.objects.get("tile/entries/001.p/54")!.with(5, 9)),
    ],
    [
      "the public checkpoint is signed by nobody known",
      "BAD_SIGNATURE",
      (newer: MemoryDisk) => newer.objects.set("checkpoint", utf8("a\n0\nx\n\n— a AAAAAAAA\n")),
    ],
  ] as const)("refuses when %s", async (_, kind, damage) => {
    const { older, newer } = await twoStates();
    await damage(newer, older);
    const before = newer.copy();
    const refusal = await Log.open(logOn(newer)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(LogError);
    expect((refusal as LogError).kind).toBe(kind);
    expect(newer.objects).toEqual(before.objects); // and it leaves the evidence alone
  });

  it("refuses the log of another key and of another origin", async () => {
    const { newer } = await twoStates();
    const signer = ed25519Signer(TEST_SIGNER.name, new Uint8Array(32).fill(2));
    await expect(Log.open({ ...logOn(newer), signer })).rejects.toMatchObject({ kind: "BAD_SIGNATURE" });
    await expect(Log.open({ ...logOn(newer), origin: "b.test" })).rejects.toMatchObject({
      kind: "WRONG_LOG",
    });
  });

  it("refuses a stage that is not the committed one", async () => {
    const disk = new MemoryDisk();
    await Log.create(logOn(disk));
    // Killed after the swap: open 5 reads, stage, swap.
    for (let after = 6; disk.head!.generation < 2; after++)
      await live(disk, [entriesFrom(0, 5)], new Promises(), { after, coin: () => false });
    const [name] = disk.staging.keys();
    disk.staging.set(name!, disk.staging.get(name!)!.with(-1, 1));
    await expect(Log.open(logOn(disk))).rejects.toMatchObject({ kind: "CORRUPT_OBJECT", file: name });
  });
});

describe("head and stage: what recovery reads must be what was written", () => {
  const stage = encodeStage([
    { path: "tile/0/000.p/1", bytes: new Uint8Array(32) },
    { path: "tile/entries/000.p/1", bytes: Uint8Array.of(0, 0) },
  ]);
  const head = formatLogHead({
    stage: stageName(1n, stage),
    previous: "ab".repeat(32),
    frozen: false,
    note: utf8("a\n\n— a AAAAAAAA\n"),
  });

  it("reads what it writes", () => {
    expect(formatHex(encodeStage(parseStage(stage)))).toBe(formatHex(stage));
    expect(formatHex(formatLogHead(parseLogHead(head)))).toBe(formatHex(head));
    for (const frozen of [false, true]) {
      const empty = { stage: undefined, previous: undefined, frozen, note: utf8("x") };
      expect(parseLogHead(formatLogHead(empty))).toEqual(empty);
    }
  });

  it("takes no path out of the log, and none twice", () => {
    for (const path of ["../head", "checkpoint", "tile/0/0", ""])
      expect(() => parseStage(encodeStage([{ path, bytes: new Uint8Array() }]))).toThrow(ParseError);
    const twice = { path: "tile/0/000", bytes: new Uint8Array() };
    expect(() => parseStage(encodeStage([twice, twice]))).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    expectParserToSurvive(parseStage, stage);
    expectParserToSurvive(parseLogHead, head);
    expectOneSpelling((bytes) => encodeStage(parseStage(bytes)), stage);
    expectOneSpelling((bytes) => formatLogHead(parseLogHead(bytes)), head);
  });
});
