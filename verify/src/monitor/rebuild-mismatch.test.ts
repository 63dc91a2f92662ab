import { describe, expect, it } from "vitest";
import { KEYS } from "../world.testing.ts";
import {
  diverged,
  nothingBuilt,
  rebuildLeaf,
  releaseLeaf,
  watch,
  type Watching,
} from "./monitored.testing.ts";

const mismatches = ({ alerts }: Watching) => alerts.filter(({ rule }) => rule === "rebuild-mismatch");
const registers = { compared: 0, differ: [] };

describe("a rebuild of my release", () => {
  it("is an alarm when a known rebuilder saw it diverge, and a warning from anybody else", async () => {
    const leaf = await releaseLeaf("snp-guest", "1");
    const change = { ...diverged, reason: "the kernel differs" };
    const leaves = [
      leaf,
      await rebuildLeaf(leaf, 0, KEYS.rebuilderA, change),
      await rebuildLeaf(leaf, 0, KEYS.stranger, change),
    ];
    expect(mismatches(await watch(leaves))).toMatchObject([
      {
        severity: "alarm",
        entries: [0n, 1n],
        details: { rebuilder: "a.example", reason: "the kernel differs" },
      },
      { severity: "warning", entries: [0n, 2n] },
    ]);
  });

  it.each(["BUILD-FAILED", "INPUTS-MISSING"] as const)("is a warning when it came to %s", async (verdict) => {
    const leaf = await releaseLeaf("snp-guest", "1");
    const rebuild = await rebuildLeaf(leaf, 0, KEYS.rebuilderA, {
      verdict,
      artifacts: nothingBuilt,
      registers,
    });
    expect(mismatches(await watch([leaf, rebuild]))).toMatchObject([
      { severity: "warning", summary: `a rebuild of snp-guest 1 came to ${verdict}` },
    ]);
  });

  it("is found also when it was logged before the release", async () => {
    const leaf = await releaseLeaf("snp-guest", "1");
    const rebuild = await rebuildLeaf(leaf, 1, KEYS.rebuilderB, diverged);
    expect(mismatches(await watch([rebuild, leaf]))).toMatchObject([
      { entries: [0n, 1n], severity: "alarm" },
    ]);
  });

  it("is nothing to report when it confirms, or is of somebody else's release", async () => {
    const [mine, theirs] = [await releaseLeaf("snp-guest", "1"), await releaseLeaf("x", "1")];
    const leaves = [
      mine,
      theirs,
      await rebuildLeaf(mine, 0, KEYS.rebuilderA),
      await rebuildLeaf(theirs, 1, KEYS.rebuilderA, diverged),
    ];
    expect(mismatches(await watch(leaves))).toEqual([]);
  });
});
