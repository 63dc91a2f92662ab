import { formatDigest } from "@bootproof/bytes";
import { resolveShape } from "@bootproof/measure/snp";
import { makeBootMeasurement, type PlatformMeasurements } from "@bootproof/statement";
import { describe, expect, it } from "vitest";
import { checkMeasurements, expandMeasurements } from "./expand.ts";
import { findDigest } from "./lookup.ts";
import { artifacts, launch, measurements, rebuildOf, release } from "./world.testing.ts";

const statement = makeBootMeasurement(release);
const launchDigest = (vcpus: number, cpu: string): string =>
  formatDigest(launch.digest(resolveShape({ vcpus, cpu, guestFeatures: 1n })));

describe("expanding: what was published in short must give each machine's own register", () => {
  it("gives the launch digest that the predictor computes, for every shape on the axes and no other", () => {
    const expanded = [...expandMeasurements(measurements)];
    expect(expanded).toHaveLength(10);
    for (const { shape, registers } of expanded)
      expect(registers["launchDigest"]).toBe(launchDigest(Number(shape["vcpus"]), String(shape["cpu"])));
    expect(new Set(expanded.map(({ registers }) => registers["launchDigest"])).size).toBe(10);
  });

  it("passes the registers of single shapes on", () => {
    const entry = { platform: "nitro", shape: {}, registers: { PCR0: "ab".repeat(48) } };
    expect([...expandMeasurements(entry)]).toEqual([entry]);
  });

  it("refuses axes whose product is absurd before it works through them", () => {
    const names = Array.from({ length: 200 }, (_, index) => `cpu-${index}`);
    const absurd = {
      ...measurements,
      axes: { vcpus: "1..4096", cpu: names, guestFeatures: ["0x1"] },
    } as PlatformMeasurements;
    expect(() => [...expandMeasurements(absurd)]).toThrow("too many shapes");
    expect(checkMeasurements([absurd]).answer).toBe("undecided");
  });
});

describe("lookup: who published this digest", () => {
  it("finds artifacts by either algorithm", () => {
    const [firmware] = artifacts;
    expect(findDigest(statement, firmware!.sha256)).toEqual([
      { kind: "artifact", name: "OVMF.fd", algorithm: "sha256" },
    ]);
    expect(findDigest(statement, firmware!.sha384)).toEqual([
      { kind: "artifact", name: "OVMF.fd", algorithm: "sha384" },
    ]);
  });

  it("finds a launch digest and names the shape", () => {
    expect(findDigest(statement, launchDigest(8, "EPYC-v4"))).toEqual([
      {
        kind: "register",
        platform: "snp",
        shape: { vmm: "qemu", vcpus: 8, cpu: "EPYC-v4", guestFeatures: "0x1" },
        register: "launchDigest",
      },
    ]);
    expect(findDigest(statement, launchDigest(7, "EPYC-v4"))).toEqual([]);
  });

  it("finds the artifacts that a rebuild is about", () => {
    expect(findDigest(rebuildOf(), artifacts[1]!.sha256)).toEqual([
      { kind: "artifact", name: "vmlinuz", algorithm: "sha256" },
    ]);
  });

  it("skips entries of a VMM it does not know and searches the rest", () => {
    const unknown = { ...measurements, vmm: "later-vmm" } as PlatformMeasurements;
    const mixed = makeBootMeasurement({ ...release, measurements: [unknown, measurements] });
    expect(findDigest(mixed, launchDigest(1, "EPYC-v4"))).toHaveLength(1);
  });
});
