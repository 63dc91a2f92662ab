import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CoverageMap } from "./coverage-map.ts";
import { igvmFile } from "./igvm/igvm.testing.ts";
import { measureIgvm } from "./igvm/measure-igvm.ts";
import { mapMeasurement } from "./map-coverage.ts";
import { MeasureError } from "./measure-error.ts";
import { measureRegions } from "./snp/regions.ts";

const FILES = ["01-basic", "03-unmeasured", "05-param-3pages", "10-shared"].map((name) =>
  igvmFile(`igvm/igvm-${name}.igvm`),
);

/** The digest, or "refused" where there is none. */
function digest(measure: () => { registers: Readonly<Record<string, string>> }): string {
  try {
    return measure().registers["launchDigest"] ?? "none";
  } catch (error) {
    if (error instanceof ParseError || error instanceof MeasureError) return "refused";
    throw error;
  }
}

function isSeen({ artifacts }: CoverageMap, role: string, byte: number): boolean {
  const { ranges } = artifacts.find((artifact) => artifact.role === role)!;
  return ranges.find(({ offset, length }) => offset <= byte && byte < offset + length)!.seen.length > 0;
}

describe("coverage of IGVM files", () => {
  const maps = FILES.map((bytes) =>
    mapMeasurement(measureIgvm(bytes, { cpu: "EPYC-v4" }), [{ role: "igvm", size: bytes.length, bytes }]),
  );

  it("is right about every byte: headers, pages that are hashed or not, registers that KVM takes or not", () => {
    let [seen, unseen] = [0, 0];
    fc.assert(
      fc.property(fc.nat(FILES.length - 1), fc.nat(), (index, at) => {
        const file = FILES[index]!;
        const byte = at % file.length;
        const covered = isSeen(maps[index]!, "igvm", byte);
        if (covered) seen++;
        else unseen++;
        const flipped = file.with(byte, file[byte]! ^ 0xff);
        const [before, after] = [file, flipped].map((bytes) =>
          digest(() => measureIgvm(bytes, { cpu: "EPYC-v4" })),
        );
        expect(before !== after, `file ${index}, byte 0x${byte.toString(16)}`).toBe(covered);
      }),
      { numRuns: 600 },
    );
    expect(Math.min(seen, unseen)).toBeGreaterThan(20);
  });
});

describe("coverage of regions", () => {
  it("tells regions apart, and is right about every byte of them", () => {
    const regions = [0x10_0000n, 0x20_0000n].map((guestAddress, index) => ({
      guestAddress,
      bytes: new Uint8Array(0x2000).fill(index),
    }));
    const shape = { vcpus: 1, cpu: "EPYC-v4" };
    const measurement = measureRegions(regions, shape);
    const map = mapMeasurement(
      measurement,
      regions.map(({ bytes }) => ({ role: "region", size: bytes.length })),
    );
    expect(map.artifacts.map(({ role, ranges }) => [role, ranges.length])).toEqual([
      ["region 0", 1],
      ["region 1", 1],
    ]);
    expect(isSeen(map, "region 1", 0x1fff)).toBe(true);
    const changed = regions.map(({ bytes, guestAddress }) => ({
      guestAddress,
      bytes: bytes.with(0x1fff, 9),
    }));
    expect(digest(() => measureRegions(changed, shape))).not.toBe(measurement.registers["launchDigest"]);
  });
});
