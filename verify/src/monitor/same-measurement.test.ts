import { makeBootMeasurement } from "@bootproof/statement";
import { describe, expect, it } from "vitest";
import { KEYS, release, seal } from "../world.testing.ts";
import { releaseLeaf, watch, WATCHED, type Watching } from "./monitored.testing.ts";

const shared = ({ alerts }: Watching) => alerts.filter(({ rule }) => rule === "same-measurement");

describe("one value claimed by two releases", () => {
  it("is an alarm when another publisher claims mine, and when mine was claimed before", async () => {
    const mine = await releaseLeaf("snp-guest", "1", { mrtd: "m" });
    const theirs = await releaseLeaf("evil", "1", { mrtd: "m", kernel: "evil", by: KEYS.stranger });
    for (const leaves of [
      [mine, theirs],
      [theirs, mine],
    ])
      expect(shared(await watch(leaves))).toMatchObject([
        { severity: "alarm", entries: [0n, 1n], details: { register: "tdx memory 2G MRTD" } },
      ]);
  });

  it("is information for two versions and a warning for two names of one publisher", async () => {
    const leaves = [
      await releaseLeaf("snp-guest", "1", { mrtd: "m" }),
      await releaseLeaf("snp-guest", "2", { mrtd: "m" }),
      await releaseLeaf("snp-other", "1", { mrtd: "m" }),
    ];
    expect(shared(await watch(leaves)).map(({ severity, entries }) => [severity, entries])).toEqual([
      ["info", [0n, 1n]],
      ["warning", [0n, 2n]],
    ]);
  });

  it("is found for launch digests that follow from axes", async () => {
    const other = { ...release, release: { name: "evil", version: "1" } };
    const leaves = [
      await seal(makeBootMeasurement(release), KEYS.publisher),
      await seal(makeBootMeasurement(other), KEYS.stranger),
    ];
    expect(shared(await watch(leaves))).toMatchObject([{ severity: "alarm", subject: "evil 1" }]);
  });

  it("is found among many statements that repeat one claim", async () => {
    const mine = await releaseLeaf("snp-guest", "1", { mrtd: "m" });
    const theirs = await releaseLeaf("evil", "1", { mrtd: "m", by: KEYS.stranger });
    const leaves = [...Array<Uint8Array>(40).fill(mine), theirs, ...Array<Uint8Array>(41).fill(mine)];
    const found = shared(await watch(leaves)).map(({ entries }) => entries);
    expect(found).toHaveLength(42);
    expect(found.at(-1)).toEqual([40n, 81n]);
  });

  it("is not reported between others, nor for registers that nothing was measured into", async () => {
    const blank = (name: string) =>
      seal(
        makeBootMeasurement({
          ...release,
          release: { name, version: "1" },
          measurements: [
            {
              platform: "nitro",
              shape: {},
              registers: { PCR3: "ff".repeat(48), PCR0: `${name.length}1`.repeat(24).padEnd(96, "1") },
            },
          ],
        }),
        KEYS.publisher,
      );
    const leaves = [
      await releaseLeaf("x", "1", { mrtd: "m" }),
      await releaseLeaf("y", "1", { mrtd: "m" }),
      await blank("snp-guest"),
      await blank("snp-other-2"),
    ];
    expect(shared(await watch(leaves, { watched: WATCHED }))).toEqual([]);
  });

  it("is PCR0 of enclaves: many share a bootstrap, a signer, or the lack of a second ramdisk", async () => {
    const enclave = (name: string, image: string) => {
      const registers = {
        PCR0: image.repeat(96),
        PCR1: "b".repeat(96),
        PCR2: "c".repeat(96),
        PCR8: "d".repeat(96),
      };
      const measurements = [{ platform: "nitro", shape: {}, registers }];
      return seal(
        makeBootMeasurement({ ...release, release: { name, version: "1" }, measurements }),
        KEYS.publisher,
      );
    };
    const watched = async (image: string) =>
      shared(
        await watch([await enclave("snp-guest", "a"), await enclave("other", image)], { watched: WATCHED }),
      );
    expect(await watched("e")).toEqual([]);
    expect(await watched("a")).toHaveLength(1);
  });
});
