import { setTimeout as sleep } from "node:timers/promises";

import { utf8 } from "@bootproof/bytes";
import { Log, LogError, type HeadStore, type LogOptions } from "@bootproof/log";
import { describe, expect, it } from "vitest";

import { newPlace, startSequencer } from "../served-log.testing.ts";
import type { Sequenced } from "./sequencer.ts";

const entry = (name: string): Uint8Array => utf8(`entry ${name}`);

describe("sequencing in one process: an entry that was taken is answered for, whatever fails", () => {
  it("gives each entry its place, an entry that is there the one it has", async () => {
    const sequencer = await startSequencer(await newPlace());
    const places = await Promise.all(["a", "b", "a"].map((name) => sequencer.submit(entry(name))));
    expect(places.map(({ index }) => index)).toEqual([0n, 1n, 0n]);
    expect(places.map(({ duplicate }) => duplicate)).toEqual([false, false, true]);
    expect(sequencer.status()).toMatchObject({ state: "writing", size: 2n, pending: 0 });
    await sequencer.stop();
  });

  it("sends entries away when too many wait, and takes them when there is room again", async () => {
    const sequencer = await startSequencer(await newPlace(), { maxPending: 2, batchAge: 50 });
    const taken = [sequencer.submit(entry("a")), sequencer.submit(entry("b"))];
    const error = await sequencer.submit(entry("c")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ refusal: { status: 503, code: "BP-SERVE-005" } });
    const { retryAfter = 0 } = (error as { refusal: { retryAfter?: number } }).refusal;
    expect(retryAfter).toBeGreaterThanOrEqual(30);
    expect(retryAfter).toBeLessThanOrEqual(90);
    await Promise.all(taken);
    expect((await sequencer.submit(entry("c"))).index).toBe(2n);
    await sequencer.stop();
  });

  it("publishes what it has taken when it is told to stop, and takes no more", async () => {
    const place = await newPlace();
    const sequencer = await startSequencer(place, { batchAge: 10_000 });
    const taken = sequencer.submit(entry("a"));
    await sequencer.stop();
    expect((await taken).index).toBe(0n);
    await expect(sequencer.submit(entry("b"))).rejects.toMatchObject({ refusal: { code: "BP-SERVE-006" } });
    const log = await Log.open(place);
    expect(log.checkpoint.size).toBe(1n);
    await log.close();
  });

  it("opens the log again after a failure, and answers everyone with one place each", async () => {
    const place = await newPlace();
    const failures: string[] = [];
    const head = failing(place.head, [2, 3, 6]);
    const sequencer = await startSequencer({ ...place, head }, { failures });
    const places: Promise<Sequenced>[] = [];
    for (let at = 0; at < 40; at++) {
      places.push(sequencer.submit(entry(String(at))));
      await sleep(10);
    }
    const indices = (await Promise.all(places)).map(({ index, duplicate }) => {
      expect(duplicate).toBe(false);
      return Number(index);
    });
    expect([...indices].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at));
    expect(failures.length).toBeGreaterThanOrEqual(2);
    expect(sequencer.status().failing).toBeUndefined();
    const size = (await Log.open(place).catch((error: unknown) => error)) as LogError;
    expect(size.kind).toBe("LOCKED");
    await sequencer.stop();
    const log = await Log.open(place);
    expect(log.checkpoint.size).toBe(40n);
    await log.close();
  });

  it("stops for ever when the log was rolled back", async () => {
    const place = await newPlace();
    const sequencer = await startSequencer(place);
    await sequencer.submit(entry("a"));
    const rolledBack: HeadStore = {
      ...failing(place.head, [1]),
      read: () => Promise.resolve(undefined),
    };
    await sequencer.stop();
    await expect(startSequencer({ ...place, head: rolledBack })).rejects.toMatchObject({ kind: "ROLLBACK" });
    const head = { ...failing(place.head, [1]), broken: false };
    const second = await startSequencer({
      ...place,
      head: {
        lock: async () => (await place.head.lock?.()) ?? undefined,
        compareAndSwap: () => {
          head.broken = true;
          return Promise.reject(new Error("no space"));
        },
        read: () => (head.broken ? Promise.resolve(undefined) : place.head.read()),
      },
    });
    const lost = second.submit(entry("b"));
    expect(await second.fault).toMatchObject({ kind: "ROLLBACK" });
    await expect(lost).rejects.toMatchObject({ refusal: { status: 503 } });
    expect(second.status().state).toBe("stopped");
    await second.stop();
  });
});

/** A head whose swaps fail at those times, before or after they happened. */
function failing(head: LogOptions["head"], times: readonly number[]): HeadStore {
  let swaps = 0;
  return {
    lock: async () => head.lock?.(),
    read: () => head.read(),
    compareAndSwap: async (expected, bytes) => {
      const fails = times.includes(++swaps);
      if (fails && swaps % 2 === 0) throw new Error("input/output error");
      const outcome = await head.compareAndSwap(expected, bytes);
      if (fails) throw new Error("input/output error");
      return outcome;
    },
  };
}
