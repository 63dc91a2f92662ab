import { utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { KEYS } from "../world.testing.ts";
import { NOTHING_SEEN } from "./monitor-state.ts";
import { Monitor } from "./monitor.ts";
import { DAY, diverged, MemoryIndex, rebuildLeaf, releaseLeaf, watch, WATCHED } from "./monitored.testing.ts";

describe("a monitor", () => {
  let pool: Uint8Array[];

  beforeAll(async () => {
    const mine = await releaseLeaf("snp-guest", "1", { mrtd: "a" });
    pool = [
      mine,
      await releaseLeaf("snp-guest", "1", { mrtd: "b" }),
      await releaseLeaf("snp-guest", "1", { kernel: "k2", by: KEYS.stranger }),
      await releaseLeaf("snp-guest", "2", { mrtd: "a" }),
      await releaseLeaf("snp-other", "1", { mrtd: "a" }),
      await releaseLeaf("x", "1", { mrtd: "b", by: KEYS.stranger }),
      await releaseLeaf("x", "2", { by: KEYS.otherLog }),
      await rebuildLeaf(mine, 0, KEYS.rebuilderA),
      await rebuildLeaf(mine, 0, KEYS.rebuilderB),
      await rebuildLeaf(mine, 0, KEYS.rebuilderB, diverged),
      utf8("no statement"),
      utf8('{"payload":"AA==","payloadType":"x","signatures":[]}'),
    ];
  });

  it("raises the same alerts in the same order however the entries are cut into batches", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(11), { minLength: 1, maxLength: 25 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        async (picks, sizes) => {
          const leaves = picks.map((at) => pool[at]!);
          const countAt = 1_000_000 + 2 * DAY;
          const whole = await watch(leaves, { countAt });
          const cut = await watch(leaves, { countAt, sizes });
          expect(cut.alerts).toEqual(whole.alerts);
          expect(cut.state).toEqual(whole.state);
          expect(new Set(whole.alerts.map(({ id }) => id)).size).toBe(whole.alerts.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("raises the same alerts again when it was killed after the index was written and before the state was", async () => {
    const leaves = pool.concat(pool);
    const entries = leaves.map((entry, at) => ({ index: BigInt(at), entry }));
    const index = new MemoryIndex();
    const monitor = new Monitor(WATCHED, index, (at) => Promise.resolve(leaves[Number(at)]!));
    const first = await monitor.take(NOTHING_SEEN, entries, 1);
    expect(index.entries).toBe(24n);
    const again = await monitor.take(NOTHING_SEEN, entries, 1);
    expect(again).toEqual(first);
    expect(index.entries).toBe(24n);
  });

  it("refuses to go on with an index that lacks entries, and learns them without an alert", async () => {
    const entries = pool.map((entry, at) => ({ index: BigInt(at), entry }));
    const { state } = await watch(pool);
    const monitor = new Monitor(WATCHED, new MemoryIndex(), (at) => Promise.resolve(pool[Number(at)]!));
    const next = [{ index: 12n, entry: pool[0]! }];
    await expect(monitor.take(state, next, 1)).rejects.toThrow(RangeError);
    await monitor.learn(entries);
    expect(monitor.known).toBe(12n);
    const { alerts } = await monitor.take(state, next, 1);
    expect(alerts.map(({ rule }) => rule)).toContain("conflicting-statements");
  });

  it("refuses entries out of order", async () => {
    const monitor = new Monitor(WATCHED, new MemoryIndex(), () => Promise.reject(new Error("none")));
    await expect(monitor.take(NOTHING_SEEN, [{ index: 1n, entry: utf8("x") }], 1)).rejects.toThrow(
      RangeError,
    );
  });
});
