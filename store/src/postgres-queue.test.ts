import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { PostgresQueue, type Pending } from "./postgres-queue.ts";
import { Cable, openDatabase, usePostgres } from "./postgres.testing.ts";
import { work } from "./processes.testing.ts";

const SLOW = 60_000;
const server = usePostgres({ tcp: true });
const ALL = { entries: 1000, bytes: 1_000_000 };

const entry = (text: string): Pending => ({ identity: sha256(utf8(text)), bytes: utf8(text) });
const put = (queue: PostgresQueue, text: string, max = 1000): Promise<string> =>
  queue.put(entry(text).identity, entry(text).bytes, max);
const texts = (taken: readonly Pending[]): string[] =>
  taken.map(({ bytes }) => Buffer.from(bytes).toString());
const queueOf = async (log: string): Promise<PostgresQueue> =>
  new PostgresQueue(await openDatabase(server()), log);

describe("the queue: an entry that was accepted must get its index", () => {
  it("gives the oldest first, within limits, until they are settled", async () => {
    const queue = await queueOf("order");
    for (const text of ["one", "two", "three"]) expect(await put(queue, text)).toBe("queued");
    expect(texts(await queue.take(ALL))).toEqual(["one", "two", "three"]);
    expect(texts(await queue.take({ entries: 2, bytes: 100 }))).toEqual(["one", "two"]);
    expect(texts(await queue.take({ entries: 9, bytes: 6 }))).toEqual(["one", "two"]);
    expect(texts(await queue.take({ entries: 9, bytes: 1 }))).toEqual(["one"]);
    await queue.settle([{ identity: entry("one").identity, index: 2n ** 53n + 1n }]);
    expect(texts(await queue.take(ALL))).toEqual(["two", "three"]);
    expect(await queue.find(entry("one").identity)).toBe(2n ** 53n + 1n);
    expect(await queue.find(entry("two").identity)).toBeUndefined();
    expect(await queue.size()).toBe(2);
  });

  it("holds an entry once, however often it is put", async () => {
    const queue = await queueOf("twice");
    const other = await queueOf("twice");
    const all = await Promise.all([
      put(queue, "same"),
      put(queue, "same"),
      put(other, "same"),
      put(other, "another"),
    ]);
    expect(all.filter((answer) => answer === "queued")).toHaveLength(2);
    expect(all.filter((answer) => answer === "pending")).toHaveLength(2);
    expect(await put(queue, "same")).toBe("pending");
    expect(await queue.size()).toBe(2);
  });

  it("says when it is full, and still knows what it holds", async () => {
    const queue = await queueOf("full");
    const answers = await Promise.all(["a", "b", "c", "d", "a"].map((text) => put(queue, text, 3)));
    expect(answers).toEqual(["queued", "queued", "queued", "full", "pending"]);
    expect(await put(queue, "e", 3)).toBe("full");
    expect(await put(queue, "b", 3)).toBe("pending");
    await queue.settle([{ identity: entry("a").identity, index: 0n }]);
    expect(await put(queue, "e", 3)).toBe("queued");
    expect(await put(queue, "f", 3)).toBe("full");
  });

  it("takes an entry again that nobody settled: its sequencer died", async () => {
    const queue = await queueOf("crash");
    await put(queue, "entry");
    await queue.take(ALL); // and never settled
    await server().kill9();
    await server().restart();
    const next = await queueOf("crash");
    expect(texts(await next.take(ALL))).toEqual(["entry"]);
    const settled = [{ identity: entry("entry").identity, index: 5n }];
    await next.settle(settled);
    await next.settle(settled); // once more, after a crash between settling and saying so
    expect(await next.size()).toBe(0);
    expect(await next.find(entry("entry").identity)).toBe(5n);
  });

  it("keeps all it acknowledged when the server is killed under load", { timeout: SLOW }, async () => {
    const queue = await queueOf("load");
    const accepted: string[] = [];
    let failed = 0;
    const feed = async (front: number): Promise<void> => {
      for (let at = 0; failed < 1; at++)
        try {
          await put(queue, `${front}/${at}`, 100_000);
          accepted.push(`${front}/${at}`);
        } catch {
          failed++;
        }
    };
    const feeds = [1, 2, 3, 4].map(feed);
    await expect.poll(() => accepted.length, { timeout: 10_000 }).toBeGreaterThan(100);
    await server().kill9();
    await Promise.all(feeds);
    await server().restart();
    const kept = new Set(texts(await queue.take({ entries: 100_000, bytes: 100_000_000 })));
    expect(accepted.filter((text) => !kept.has(text))).toEqual([]);
  });

  it("tells two front ends what another process sequenced, each entry once", { timeout: SLOW }, async () => {
    const queue = await queueOf("fed");
    const fronts = [1, 2].map(() =>
      work<{ indices: number[] }>("put-postgres-queue", server().url, "40", server().env),
    );
    const known = new Map<string, bigint>();
    const done = new AbortController();
    const sequencer = (async () => {
      while (!done.signal.aborted) {
        const taken = await queue.take({ entries: 7, bytes: 1000 });
        for (const { identity } of taken)
          known.set(formatHex(identity), known.get(formatHex(identity)) ?? BigInt(known.size));
        if (taken.length > 0)
          await queue.settle(
            taken.map(({ identity }) => ({ identity, index: known.get(formatHex(identity))! })),
          );
      }
    })();
    const [first, second] = await Promise.all(fronts);
    done.abort();
    await sequencer;
    expect(first).toEqual(second);
    expect([...first!.indices].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at));
  });

  it("refuses what no entry can be", async () => {
    const queue = await queueOf("bounds");
    const { identity, bytes } = entry("x");
    await expect(queue.put(identity, new Uint8Array(65_536), 9)).rejects.toMatchObject({
      code: "BP-STORE-006",
    });
    await expect(queue.put(new Uint8Array(), bytes, 9)).rejects.toMatchObject({ code: "BP-STORE-008" });
    await expect(queue.put(new Uint8Array(65), bytes, 9)).rejects.toMatchObject({ code: "BP-STORE-006" });
    await expect(queue.put(identity, bytes, 0)).rejects.toMatchObject({ code: "BP-STORE-008" });
    await expect(queue.take({ entries: 0, bytes: 1 })).rejects.toMatchObject({ code: "BP-STORE-008" });
    expect(await queue.put(identity, new Uint8Array(65_535), 9)).toBe("queued");
  });
});

describe("notifications: nobody should have to poll", () => {
  it("come when entries are put and settled, and not to other logs", async () => {
    const queue = await queueOf("heard");
    const stranger = await queueOf("stranger");
    const heard = { queued: 0, settled: 0, strange: 0 };
    queue.onQueued(() => heard.queued++);
    const stop = queue.onSettled(() => heard.settled++);
    stranger.onQueued(() => heard.strange++);
    // Each is called once when it begins, for what it may have missed.
    await expect.poll(() => heard).toEqual({ queued: 1, settled: 1, strange: 1 });
    await put(queue, "entry");
    await expect.poll(() => heard.queued).toBe(2);
    await queue.settle([{ identity: entry("entry").identity, index: 0n }]);
    await expect.poll(() => heard.settled).toBe(2);
    stop();
    await queue.settle([{ identity: entry("entry").identity, index: 0n }]);
    await put(queue, "more");
    await expect.poll(() => heard.queued).toBe(3);
    expect(heard).toEqual({ queued: 3, settled: 2, strange: 1 });
  });

  it("come again after the connection was lost, with a call for what was missed", async () => {
    const { cable, url } = await Cable.to(server().tcpUrl!);
    const far = new PostgresQueue(await openDatabase(server(), { url }), "lost");
    const near = await queueOf("lost");
    let heard = 0;
    far.onQueued(() => heard++);
    await expect.poll(() => heard).toBe(1);
    cable.breakAll();
    await put(near, "missed");
    await expect.poll(() => heard, { timeout: 5000 }).toBeGreaterThanOrEqual(2);
    const before = heard;
    await put(near, "heard");
    await expect.poll(() => heard).toBeGreaterThan(before);
  });
});
