import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type CoverageMap, summariseCoverage } from "../coverage-map.ts";
import type { GuestFiles } from "../explain/measured-side.ts";
import { mapMeasurement } from "../map-coverage.ts";
import { measureSnp } from "./measure-snp.ts";
import { PROFILES } from "./profiles.ts";
import type { SnpShape } from "./shape.ts";
import { inputs, suffix } from "./vectors.testing.ts";

const IMAGES = ["ovmf_AmdSev_suffix.bin", "ovmf_OvmfX64_suffix.bin"].map((name) => suffix(name));
const BOOT = {
  kernel: inputs.get("kernel-a")!,
  initrd: inputs.get("initrd-a")!,
  cmdline: new TextEncoder().encode("console=ttyS0"),
};
const OVMF_PROFILES = PROFILES.filter((profile) => profile.platform === "snp" && profile.image === "ovmf");
type Files = GuestFiles & { readonly firmware: Uint8Array };
type Role = "firmware" | "kernel" | "initrd" | "cmdline";

function mapOf(files: Files, shape: SnpShape): CoverageMap {
  const { kernel, initrd, cmdline } = files;
  const given = Object.entries({ firmware: files.firmware, kernel, initrd, cmdline });
  const sizes = given.flatMap(([role, bytes]) => (bytes === undefined ? [] : [{ role, size: bytes.length }]));
  return mapMeasurement(measureSnp(files, shape), sizes);
}

/** The launch digest, or "refused" where there is none. */
function digest(files: Files, shape: SnpShape): string {
  try {
    return measureSnp(files, shape).registers["launchDigest"]!;
  } catch (error) {
    if (error instanceof ParseError) return "refused";
    throw error;
  }
}

function isSeen(map: CoverageMap, role: Role, byte: number): boolean {
  const range = map.artifacts
    .find((artifact) => artifact.role === role)!
    .ranges.find(({ offset, length }) => offset <= byte && byte < offset + length);
  return range!.seen.length > 0;
}

const shapes = fc.record({
  vcpus: fc.integer({ min: 1, max: 4 }),
  cpu: fc.constantFrom("EPYC-v4", "EPYC-Milan"),
  profile: fc.constantFrom(...OVMF_PROFILES.map(({ name }) => name)),
});

describe("coverage on real firmware", () => {
  it("is right about every byte: one that is covered changes the digest, one that is not does not", () => {
    const launch = fc.record({
      image: fc.constantFrom(...IMAGES),
      boot: fc.boolean(),
      kernelHashes: fc.boolean(),
      shape: shapes,
      role: fc.constantFrom<Role>("firmware", "kernel", "initrd", "cmdline"),
      at: fc.nat(),
      bit: fc.nat(7),
    });
    let [seen, unseen] = [0, 0];
    fc.assert(
      fc.property(launch, ({ image, boot, kernelHashes, shape, role, at, bit }) => {
        // OvmfX64 has no room for kernel hashes.
        const hashes = kernelHashes && image === IMAGES[0];
        const files: Files = { firmware: image, ...(boot && { ...BOOT, kernelHashes: hashes }) };
        const bytes = files[role];
        if (!(bytes instanceof Uint8Array)) return;
        const byte = at % bytes.length;
        const flipped = { ...files, [role]: bytes.with(byte, bytes[byte]! ^ (1 << bit)) };
        const covered = isSeen(mapOf(files, shape), role, byte);
        if (covered) seen++;
        else unseen++;
        expect(digest(flipped, shape) !== digest(files, shape)).toBe(covered);
      }),
      { numRuns: 400 },
    );
    // Both answers were put to the test.
    expect(Math.min(seen, unseen)).toBeGreaterThan(20);
  });

  it("is right about every parameter that a shape has", () => {
    const changes: Readonly<Record<string, (shape: SnpShape) => Partial<SnpShape>>> = {
      "number of vCPUs": ({ vcpus }) => ({ vcpus: vcpus + 1 }),
      "CPU signature": () => ({ cpu: "EPYC-Genoa" }),
      "guest features": () => ({ guestFeatures: 0x801n }),
    };
    fc.assert(
      fc.property(shapes, fc.constantFrom(...Object.keys(changes)), (shape, name) => {
        const parameter = mapOf({ firmware: IMAGES[0]! }, shape).parameters.find((it) => it.name === name)!;
        const changed = { ...shape, ...changes[name]!(shape) };
        const differs = digest({ firmware: IMAGES[0]! }, changed) !== digest({ firmware: IMAGES[0]! }, shape);
        expect(parameter.register !== undefined, `${name} on ${shape.profile}`).toBe(differs);
      }),
    );
  });

  it("knows VMMs that measure no CPU, and guests without application processors", () => {
    const why = (shape: SnpShape, name: string): string | undefined =>
      mapOf({ firmware: IMAGES[0]! }, shape).parameters.find((parameter) => parameter.name === name)?.why;
    expect(why({ vcpus: 2, cpu: "EPYC-v4", vmm: "ec2" }, "CPU signature")).toMatch(/constant/);
    expect(why({ vcpus: 2, cpu: "EPYC-v4" }, "CPU signature")).toBeUndefined();
    expect(why({ vcpus: 1, cpu: "EPYC-v4" }, "AP reset address")).toMatch(/one vCPU/);
  });

  it("names as uncovered what no shape can express", () => {
    const { parameters } = mapOf({ firmware: IMAGES[0]! }, { vcpus: 2, cpu: "EPYC-v4" });
    const unseen = parameters.filter(({ register }) => register === undefined).map(({ name }) => name);
    expect(unseen).toEqual([
      "what the firmware boots",
      "guest policy",
      "host data",
      "ID block and ID key",
      "CPUID page contents",
      "secrets page contents",
      "variable store in a file of its own",
      "memory size, ACPI tables, devices, disks",
    ]);
  });

  it("says in a measurement what the map says", () => {
    const shape = { vcpus: 2, cpu: "EPYC-v4" };
    const short = (list: readonly { input: string }[]): string[] => list.map(({ input }) => input).sort();
    for (const files of [
      { firmware: IMAGES[0]! },
      { firmware: IMAGES[0]!, ...BOOT },
      { firmware: IMAGES[0]!, ...BOOT, kernelHashes: false },
    ]) {
      const { covered, notCovered } = summariseCoverage(mapOf(files, shape));
      const { coverage } = measureSnp(files, shape);
      expect(short(coverage.covered)).toEqual(expect.arrayContaining([...new Set(short(covered))]));
      expect(short(coverage.notCovered)).toEqual(expect.arrayContaining(short(notCovered)));
    }
  });
});
