import { describe, expect, it } from "vitest";
import { KEYS } from "../world.testing.ts";
import { DAY, rebuildLeaf, releaseLeaf, watch, type Watching } from "./monitored.testing.ts";
import { rememberSeen } from "./unconfirmed-release.ts";

const NOW = 1_000_000;
const late = { now: NOW, countAt: NOW + 2 * DAY };
const unconfirmed = ({ alerts }: Watching) => alerts.filter(({ rule }) => rule === "unconfirmed-release");

describe("a release that must be confirmed in time", () => {
  it("is not reported before its time is up", async () => {
    const leaves = [await releaseLeaf("snp-guest", "1")];
    expect(unconfirmed(await watch(leaves, { now: NOW, countAt: NOW + DAY - 1 }))).toEqual([]);
    expect(unconfirmed(await watch(leaves, late))).toMatchObject([
      { severity: "warning", entries: [0n], details: { "confirmed by": "nobody", needed: "2" } },
    ]);
  });

  it("counts organisations, not keys, and not the publisher's own", async () => {
    const leaf = await releaseLeaf("snp-guest", "1");
    const by = (...keys: (typeof KEYS)["log"][]) => Promise.all(keys.map((key) => rebuildLeaf(leaf, 0, key)));
    const one = [
      leaf,
      ...(await by(KEYS.rebuilderA, KEYS.rebuilderA2, KEYS.publisherRebuilder, KEYS.stranger)),
    ];
    expect(unconfirmed(await watch(one, late))).toMatchObject([{ details: { "confirmed by": "a.example" } }]);
    const two = [leaf, ...(await by(KEYS.rebuilderA, KEYS.rebuilderB))];
    expect(unconfirmed(await watch(two, late))).toEqual([]);
  });

  it("is not confirmed by a rebuild of another leaf, another index or another verdict", async () => {
    const leaf = await releaseLeaf("snp-guest", "1");
    const other = await releaseLeaf("snp-guest", "2");
    const leaves = [
      leaf,
      await rebuildLeaf(other, 0, KEYS.rebuilderA),
      await rebuildLeaf(leaf, 5, KEYS.rebuilderB),
    ];
    expect(unconfirmed(await watch(leaves, late))).toMatchObject([{ details: { "confirmed by": "nobody" } }]);
  });

  it("is counted in parts, so that a log full of releases needs no memory for them", async () => {
    const leaf = await releaseLeaf("snp-guest", "1");
    const watching = await watch(Array<Uint8Array>(300).fill(leaf), late);
    expect(unconfirmed(watching)).toHaveLength(300);
    expect(watching.state).toMatchObject({ unconfirmedFrom: 300n, seenBy: [] });
  });

  it("needs few times in memory however often the log is looked at, also when the clock goes back", () => {
    let seen = rememberSeen([], 1n, NOW, DAY);
    for (let at = 1; at < DAY; at += 7) seen = rememberSeen(seen, BigInt(at), NOW + at, DAY);
    for (let at = 0; at < 1000; at++) seen = rememberSeen(seen, BigInt(DAY + at), NOW - at, DAY);
    expect(seen.length).toBeLessThan(140);
    expect(seen.at(-1)?.below).toBe(BigInt(DAY + 999));
  });
});
