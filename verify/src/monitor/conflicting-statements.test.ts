import { describe, expect, it } from "vitest";
import { KEYS } from "../world.testing.ts";
import { releaseLeaf, watch, type Watching } from "./monitored.testing.ts";

const conflicts = ({ alerts }: Watching) => alerts.filter(({ rule }) => rule === "conflicting-statements");

describe("two statements about one name and version", () => {
  it("conflict when an artifact differs, whoever signed", async () => {
    const leaves = [
      await releaseLeaf("snp-guest", "1"),
      await releaseLeaf("snp-guest", "2"),
      await releaseLeaf("snp-guest", "1", { kernel: "other", by: KEYS.stranger }),
    ];
    expect(conflicts(await watch(leaves))).toMatchObject([
      {
        severity: "alarm",
        subject: "snp-guest 1",
        entries: [0n, 2n],
        details: { difference: expect.stringContaining("artifact vmlinuz is ") as string },
      },
    ]);
  });

  it("conflict when a register of the same shape differs", async () => {
    const leaves = [
      await releaseLeaf("snp-guest", "1", { mrtd: "a" }),
      await releaseLeaf("snp-guest", "1", { mrtd: "b" }),
    ];
    expect(conflicts(await watch(leaves))).toMatchObject([
      { entries: [0n, 1n], details: { difference: expect.stringContaining("MRTD") as string } },
    ]);
  });

  it("do not conflict when they claim the same, or one only claims more shapes", async () => {
    const leaves = [
      await releaseLeaf("snp-guest", "1"),
      await releaseLeaf("snp-guest", "1", { by: KEYS.stranger }),
      await releaseLeaf("snp-guest", "1", { mrtd: "a" }),
    ];
    expect(conflicts(await watch(leaves))).toEqual([]);
  });

  it("are not mine to report when the name is not", async () => {
    const leaves = [await releaseLeaf("x", "1"), await releaseLeaf("x", "1", { kernel: "other" })];
    expect(conflicts(await watch(leaves))).toEqual([]);
  });

  it("are found among many that repeat one claim", async () => {
    const repeated: Uint8Array[] = [];
    for (let at = 0; at < 4; at++) repeated.push(await releaseLeaf("snp-guest", "1"));
    const leaves = [await releaseLeaf("snp-guest", "1", { kernel: "first" }), ...repeated];
    expect(conflicts(await watch(leaves)).map(({ entries }) => entries)).toEqual([
      [0n, 1n],
      [0n, 2n],
      [0n, 3n],
      [0n, 4n],
    ]);
  });
});
