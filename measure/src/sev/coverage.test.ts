import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CoverageMap } from "../coverage-map.ts";
import type { GuestFiles } from "../explain/measured-side.ts";
import { inputs, suffix } from "../snp/vectors.testing.ts";
import { mapMeasurement } from "../map-coverage.ts";
import { measureSev, measureSevEs } from "./measure-sev.ts";

const IMAGE = suffix("ovmf_AmdSev_suffix.bin");
const KERNEL = inputs.get("kernel-a")!;

type Files = GuestFiles & { readonly firmware: Uint8Array };

function mapOf(files: Files, vcpus: number | undefined): CoverageMap {
  const { firmware, kernel } = files;
  const sizes = [
    { role: "firmware", size: firmware.length },
    ...(kernel === undefined ? [] : [{ role: "kernel", size: kernel.length }]),
  ];
  const shape = { vcpus: vcpus ?? 1, cpu: "EPYC-v4" };
  return mapMeasurement(vcpus === undefined ? measureSev(files) : measureSevEs(files, shape), sizes);
}

const digest = (files: Files, vcpus: number | undefined, cpu = "EPYC-v4"): string | undefined =>
  (vcpus === undefined ? measureSev(files) : measureSevEs(files, { vcpus, cpu })).registers["launchDigest"];

describe("coverage of SEV and SEV-ES on real firmware", () => {
  it("is right about every byte of firmware and kernel", () => {
    const launch = fc.record({
      kernelHashes: fc.boolean(),
      vcpus: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      role: fc.constantFrom("firmware", "kernel"),
      // Below the GUIDed table, whose damage the VMM refuses.
      at: fc.nat(0xf00),
    });
    fc.assert(
      fc.property(launch, ({ kernelHashes, vcpus, role, at }) => {
        const files = { firmware: IMAGE, kernel: KERNEL, kernelHashes };
        const bytes = role === "firmware" ? IMAGE : KERNEL;
        const byte = at % bytes.length;
        const flipped = { ...files, [role]: bytes.with(byte, bytes[byte]! ^ 1) };
        const range = mapOf(files, vcpus)
          .artifacts.find((artifact) => artifact.role === role)!
          .ranges.find(({ offset, length }) => offset <= byte && byte < offset + length)!;
        expect(digest(flipped, vcpus) !== digest(files, vcpus)).toBe(range.seen.length > 0);
      }),
    );
  });

  it("knows that plain SEV sees no processor, and SEV-ES does", () => {
    const files = { firmware: IMAGE };
    const named = (vcpus: number | undefined, name: string): unknown =>
      mapOf(files, vcpus).parameters.find((parameter) => parameter.name === name);
    expect(named(undefined, "number and kind of vCPUs")).not.toHaveProperty("register");
    expect(named(2, "CPU signature")).toHaveProperty("register");
    expect(digest(files, 2)).not.toBe(digest(files, 2, "EPYC-Milan"));
  });
});
