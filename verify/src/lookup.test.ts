import { formatDigest, formatHex, utf8 } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import { resolveShape } from "@bootproof/measure/snp";
import {
  makeBootMeasurement,
  type PlatformMeasurements,
  type SnpMeasurements,
  type Statement,
} from "@bootproof/statement";
import { describe, expect, it } from "vitest";
import { checkMeasurements, expandMeasurements } from "./expand.ts";
import { findDigest, type DigestMatch } from "./lookup.ts";
import { matchText } from "./match-text.ts";
import { readStatement } from "./read-entry.ts";
import {
  artifacts,
  divergedArtifacts,
  inShort,
  launch,
  measurements,
  rebuildOf,
  release,
  releaseLeaf,
} from "./world.testing.ts";

const statement = makeBootMeasurement(release);
const absurdAxes = (cpu: string[]): object => ({ vcpus: "1..4096", cpu, guestFeatures: ["0x1"] });
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
      axes: absurdAxes(names),
    } as PlatformMeasurements;
    expect(() => [...expandMeasurements(absurd)]).toThrow("too many shapes");
    expect(checkMeasurements([absurd]).answer).toBe("undecided");
    // One shape each, and yet 4096 VMSAs to measure for every name.
    const slow = { ...measurements, axes: { ...absurdAxes(names), vcpus: "4096" } } as PlatformMeasurements;
    expect(() => [...expandMeasurements(slow)]).toThrow("too many shapes");
  });
});

const look = (made: Statement, digest: string): readonly DigestMatch[] =>
  findDigest(utf8("its entry"), readStatement(made), digest).matches;

describe("lookup: who published this digest", () => {
  it("finds artifacts by either algorithm", () => {
    const [firmware] = artifacts;
    expect(look(statement, firmware!.sha256)).toEqual([
      { kind: "artifact", name: "OVMF.fd", algorithm: "sha256" },
    ]);
    expect(look(statement, firmware!.sha384)).toEqual([
      { kind: "artifact", name: "OVMF.fd", algorithm: "sha384" },
    ]);
  });

  it("finds a launch digest and names the shape", () => {
    expect(look(statement, launchDigest(8, "EPYC-v4"))).toEqual([
      {
        kind: "register",
        platform: "snp",
        shape: { vmm: "qemu", vcpus: 8, cpu: "EPYC-v4", guestFeatures: "0x1" },
        register: "launchDigest",
      },
    ]);
    expect(look(statement, launchDigest(7, "EPYC-v4"))).toEqual([]);
  });

  it("finds the build that a release names, and the entry by its leaf hash", () => {
    const { recipe, lock, provenance } = release.build;
    for (const [kind, blob] of Object.entries({ recipe, lock, provenance }))
      expect(look(statement, blob.sha256)).toEqual([{ kind }]);
    const leaf = formatHex(leafHash(utf8("its entry")));
    expect(look(statement, leaf)).toEqual([{ kind: "leaf hash" }]);
  });

  it("finds the artifacts that a rebuild is about, what came out instead, and the release's leaf", () => {
    expect(look(rebuildOf(), artifacts[1]!.sha256)).toEqual([
      { kind: "artifact", name: "vmlinuz", algorithm: "sha256" },
    ]);
    expect(look(rebuildOf(), formatHex(leafHash(releaseLeaf)))).toEqual([{ kind: "rebuild of" }]);
    const other = divergedArtifacts.find(({ name }) => name === "vmlinuz")!.found!;
    const register = "launchDigest";
    const differ = [
      { platform: "snp", shape: "qemu", register, expected: "a".repeat(96), found: "b".repeat(96) },
    ];
    const diverged = rebuildOf({
      verdict: "DIVERGED",
      artifacts: divergedArtifacts,
      registers: { compared: 1, differ },
    });
    expect(look(diverged, other.sha256)).toEqual([{ kind: "rebuilt", name: "vmlinuz" }]);
    expect(look(diverged, "b".repeat(96)).map(matchText)).toEqual([
      "snp launchDigest of qemu, found and not the other",
    ]);
  });

  it("searches what is stated, and not what a stated firmware would give besides", () => {
    const entry = inShort("gce-genoa");
    const statement = makeBootMeasurement({ ...release, measurements: [entry] });
    const [shape] = [...expandMeasurements(entry)];
    expect(shape!.shape).toMatchObject({ vmm: "gce", profile: "gce-genoa", vcpus: 1 });
    expect(look(statement, shape!.registers["launchDigest"]!)).toHaveLength(1);
    const elsewhere = { ...entry, axes: { ...entry.axes, guestFeatures: ["0x1", "0x21"] } };
    expect(() => [...expandMeasurements(elsewhere)]).toThrow("does not cover");
  });

  it("searches past entries of a VMM it does not know, and says that there is more than it searched", () => {
    const unknown = { ...measurements, vmm: "later-vmm" } as PlatformMeasurements;
    const mixed = makeBootMeasurement({ ...release, measurements: [unknown, measurements] });
    expect(look(mixed, launchDigest(1, "EPYC-v4"))).toHaveLength(1);
    const found = findDigest(utf8("x"), readStatement(mixed), "ab".repeat(48));
    expect(found).toEqual({ matches: [], complete: false });
  });
});

describe("stated firmware and kernel hashes: what an entry says must follow from the rest of it", () => {
  const entry = inShort("qemu-kvm-mainline");
  const { reference } = entry;
  const changed = (change: Partial<SnpMeasurements["reference"]>): SnpMeasurements => ({
    ...entry,
    reference: { ...reference, ...change },
  });
  const firmware = reference.firmware!;

  it("says yes when prefix and VMSA digests derive", () => {
    for (const good of [entry, inShort("qemu-amdese-old"), inShort("ec2-rdx600"), measurements])
      expect(checkMeasurements([good])).toMatchObject({ answer: "yes" });
    expect(checkMeasurements([{ ...entry, profile: undefined }])).toMatchObject({ answer: "yes" });
  });

  it.each<[string, SnpMeasurements, string]>([
    ["another seed", changed({ firmware: { ...firmware, seed: "1".repeat(96) } }), "before the VMSAs"],
    [
      "another kernel",
      changed({ kernelHashes: { ...reference.kernelHashes!, kernel: "1".repeat(64) } }),
      "before",
    ],
    [
      "another reset address",
      changed({ firmware: { ...firmware, resetAddress: "0x80b008" } }),
      "other processors",
    ],
    ["another VMSA", changed({ vmsas: [{ ...reference.vmsas[0]!, bsp: "1".repeat(96) }] }), "boot processor"],
    [
      "sections that overlap",
      changed({ firmware: { ...firmware, sections: ["0x1000+0x2000 0x1", "0x2000+0x1000 0x2"] } }),
      "section 0",
    ],
    ["a profile of other FPU state", { ...entry, profile: "qemu-amdese-old" }, "contradicts itself"],
    ["a profile of another VMM", { ...entry, vmm: "ec2" }, "is of qemu, not of ec2"],
    ["kernel hashes that are off", { ...entry, kernelHashes: false }, "off and stated"],
    ["kernel hashes not stated", changed({ kernelHashes: undefined }), "on and not stated"],
  ])("says no to %s", (_, bad, reason) => {
    const found = checkMeasurements([measurements, bad]);
    expect(found).toMatchObject({ answer: "no" });
    expect(found.reason).toContain(reason);
  });

  it("cannot decide about a profile that it does not know", () => {
    expect(checkMeasurements([{ ...entry, profile: "qemu-2031" }])).toMatchObject({ answer: "undecided" });
  });
});
