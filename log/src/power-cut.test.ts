import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectWhole, live, Promises, type Step } from "./log-life.testing.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk } from "./memory-store.testing.ts";

const fates = fc.infiniteStream(fc.constantFrom(true, false, "unsynced" as const));
const batches = fc.array(fc.tuple(fc.nat(700), fc.integer({ min: 1, max: 300 })), {
  minLength: 1,
  maxLength: 4,
});
/** Now and then a batch is followed by a refresh, and seldom by the end of the log. */
const between = fc.infiniteStream(
  fc.oneof(
    { weight: 12, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.constant(["refresh" as const]) },
    { weight: 1, arbitrary: fc.constant(["freeze" as const]) },
  ),
);
const losses = fc.infiniteStream(fc.boolean());
const life = fc.record({ batches, between, after: fc.nat(60), fates, isLost: losses });
/** Mostly quick, now and then asleep for as long as another one needs for a commit or two. */
const pauses = fc.infiniteStream(
  fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60) }),
);
const racer = fc.record({ batches, between, after: fc.nat(200), fates, pauses });
const next = <T>(stream: Iterator<T>): T => stream.next().value as T;
const stepsOf = (batches: readonly Uint8Array[][], extra: Iterator<readonly Step[]>): Step[] =>
  batches.flatMap((batch) => [batch, ...next(extra)]);
const entriesOf = (ranges: readonly [number, number][]): Uint8Array[][] =>
  ranges.map(([from, count]) => entriesFrom(from, count));

describe("power cuts: what was seen but not synced is gone, and nothing that was answered for", () => {
  it("keeps every promise through random batches, deaths and power cuts", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(life, fc.boolean()), { minLength: 1, maxLength: 6 }),
        async (lives) => {
          const disk = new MemoryDisk();
          const told = new Promises();
          for (const [{ batches, between, after, fates, isLost }, cut] of lives) {
            const steps = stepsOf(entriesOf(batches), between);
            await live(disk, steps, told, { after, coin: () => next(fates) });
            if (cut) disk.cutPower(() => next(isLost));
          }
          await live(disk, [], told);
          disk.cutPower(() => true);
          await expectWhole(disk, told);
        },
      ),
      { numRuns: 30 },
    );
  }, 120_000);

  it("lets a writer go on from a commit that the last one did not live to see synced", async () => {
    for (let after = 0; after < 40; after++)
      for (const further of [[], [entriesFrom(400, 1)]]) {
        const disk = new MemoryDisk();
        const told = new Promises();
        await live(disk, [entriesFrom(0, 5)], told);
        await live(disk, [entriesFrom(5, 30)], told, { after, coin: () => "unsynced" });
        await live(disk, further, told);
        disk.cutPower(() => true);
        await expectWhole(disk, told);
      }
  });
});

describe("two writers without a lock: a log that split, or an answer that was taken back", () => {
  it("keeps every promise that either made, however they race and die", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(racer, racer, fc.nat(40)), { minLength: 1, maxLength: 4 }),
        async (races) => {
          const disk = new MemoryDisk();
          const told = new Promises();
          await Log.create(logOn(disk));
          for (const [one, other, later] of races) {
            const race = async (
              { batches, between, after, fates, pauses }: typeof one,
              start: number,
            ): Promise<void> => {
              const pause = (): number => next(pauses);
              for (let turn = 0; turn < start; turn++) await new Promise(setImmediate);
              await live(disk, stepsOf(entriesOf(batches), between), told, {
                after,
                coin: () => next(fates),
                pause,
              });
            };
            await Promise.all([race(one, 0), race(other, later)]);
          }
          await live(disk, [], told);
          await expectWhole(disk, told);
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe("backups: a log that was restored from an older copy must not sign again what it has signed", () => {
  const restored = async (
    restore: (newer: MemoryDisk, older: MemoryDisk) => void,
    sizes: readonly [number, number],
  ): Promise<unknown> => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    await log.append(entriesFrom(0, sizes[0]));
    const older = disk.copy();
    await log.append(entriesFrom(sizes[0], sizes[1]));
    restore(disk, older);
    return Log.open(logOn(disk)).catch((error: unknown) => error);
  };
  const growth = fc.tuple(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }));

  it("refuses a private part that is older than the public one, and says what to do", async () => {
    await fc.assert(
      fc.asyncProperty(growth, async (sizes) => {
        const refusal = await restored((newer, older) => {
          newer.head = older.head;
          newer.staging.clear();
          for (const [key, bytes] of older.staging) newer.staging.set(key, bytes);
        }, sizes);
        expect(refusal).toMatchObject({
          kind: "ROLLBACK",
          found: String(sizes[0] + sizes[1]),
          hint: "restore the newest head; signing from an older one would fork the log",
        });
      }),
      { numRuns: 30 },
    );
  });

  it("refuses a public part that is older than the private one and lacks tiles, and names one", async () => {
    await fc.assert(
      fc.asyncProperty(growth, async (sizes) => {
        const refusal = await restored((newer, older) => {
          newer.objects.clear();
          for (const [key, bytes] of older.objects) newer.objects.set(key, bytes);
        }, sizes);
        expect(refusal).toMatchObject({
          kind: "MISSING_OBJECT",
          file: expect.stringMatching(/^tile\//) as string,
        });
      }),
      { numRuns: 30 },
    );
  });
});
