import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { BatchQueue, type BatchOptions } from "./batch-queue.ts";

const item = utf8("x");
const items = (count: number): Uint8Array[] => Array.from({ length: count }, () => item);
const turns = async (count = 10): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

/** A queue whose batches are counted, and done when somebody says so. */
function observe(options?: BatchOptions): {
  queue: BatchQueue<Uint8Array, number>;
  sizes: number[];
  open: () => void;
} {
  const sizes: number[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const queue = new BatchQueue(async (batch: readonly Uint8Array[]) => {
    const first = sizes.reduce((sum, size) => sum + size, 0);
    sizes.push(batch.length);
    await gate;
    return batch.map((_, at) => first + at);
  }, options);
  return { queue, sizes, open };
}

describe("batches: every call gets the answers to its own entries", () => {
  it("answers each call in order, and lets those that came meanwhile share the next batch", async () => {
    const { queue, sizes, open } = observe();
    const first = [queue.push(items(2)), queue.push(items(1))];
    await turns();
    const second = [queue.push(items(1)), queue.push(items(3)), queue.push([])];
    await turns();
    expect(sizes).toEqual([3]);
    open();
    expect(await Promise.all([...first, ...second])).toEqual([[0, 1], [2], [3], [4, 5, 6], []]);
    expect(sizes).toEqual([3, 4]);
  });

  it("bounds a batch in entries and bytes, but never splits a call", async () => {
    const byEntries = observe({ maxEntries: 5 });
    byEntries.open();
    await Promise.all([4, 4, 9, 1, 1].map((count) => byEntries.queue.push(items(count))));
    expect(byEntries.sizes).toEqual([8, 9, 2]);
    const byBytes = observe({ maxBytes: 3 });
    byBytes.open();
    await Promise.all([2, 2, 2].map((count) => byBytes.queue.push(items(count))));
    expect(byBytes.sizes).toEqual([4, 2]);
  });

  it("fails the calls of one batch with its error, and no others", async () => {
    let fails = true;
    const queue = new BatchQueue<Uint8Array, number>(
      (batch) => (fails ? Promise.reject(new Error("no")) : Promise.resolve(batch.map(() => 7))),
      { maxEntries: 1 },
    );
    const bad = queue.push(items(1));
    await expect(bad).rejects.toThrow("no");
    fails = false;
    expect(await queue.push(items(1))).toEqual([7]);
  });

  it("takes other work between two batches, in turn", async () => {
    const { queue, sizes, open } = observe({ maxEntries: 1 });
    const calls = [queue.push(items(1)), queue.push(items(1))];
    await turns();
    const work = queue.inTurn(() => Promise.resolve([...sizes]));
    open();
    expect(await work).toEqual([1]);
    await Promise.all(calls);
    await expect(queue.inTurn(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await queue.push(items(1))).toEqual([2]);
  });

  it("is closed when all that was asked for is done", async () => {
    const { queue, sizes, open } = observe({ maxEntries: 1 });
    const calls = [queue.push(items(1)), queue.push(items(1))];
    const closed = queue.close().then(() => [...sizes]);
    await turns();
    open();
    expect(await closed).toEqual([1, 1]);
    await Promise.all(calls);
  });
});
