import { utf8 } from "@bootproof/bytes";
import { makeBootMeasurement } from "@bootproof/statement";
import { describe, expect, it } from "vitest";
import { KEYS, measurements, release, seal } from "../world.testing.ts";
import { watch } from "./monitored.testing.ts";

describe("entries that cannot be judged", () => {
  it("are told at the 1st, 2nd, 4th, 8th... of those that are no statements", async () => {
    const leaves = Array.from({ length: 100 }, (_, at) => utf8(`not a statement ${at}`));
    const { alerts, state } = await watch(leaves, { sizes: [3, 50] });
    expect(alerts.map(({ rule, entries }) => [rule, ...entries])).toEqual(
      [0n, 1n, 3n, 7n, 15n, 31n, 63n].map((at) => ["no-statement", at]),
    );
    expect(state.notStatements).toBe(100);
  });

  it("are told when a release claims more values than are compared", async () => {
    const vcpus = "1..512";
    const wide = { ...measurements, axes: { vcpus, cpu: ["EPYC-Milan", "EPYC-v4"], guestFeatures: ["0x1"] } };
    const many = Array<typeof wide>(17).fill(wide);
    const made = makeBootMeasurement({
      ...release,
      release: { name: "x", version: "1" },
      measurements: many,
    });
    const { alerts } = await watch([await seal(made, KEYS.publisher)]);
    expect(alerts).toMatchObject([
      { rule: "not-compared", severity: "warning", details: { reason: "it claims more than 16384 values" } },
    ]);
  });
});
