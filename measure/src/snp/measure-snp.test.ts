import { describe, expect, it } from "vitest";
import { measureSnp, type SnpInputs } from "./measure-snp.ts";
import type { SnpShape } from "./shape.ts";
import { inputs, suffix } from "./vectors.testing.ts";

const firmware = suffix("ovmf_AmdSev_suffix.bin");
const kernel = inputs.get("kernel-a")!;
const milan: SnpShape = { vcpus: 1, cpu: "EPYC-Milan" };

const digest = (given: Partial<SnpInputs>, shape: SnpShape = milan) =>
  measureSnp({ firmware, ...given }, shape).registers["launchDigest"];
const warnings = (given: Partial<SnpInputs>, shape: SnpShape = milan) =>
  measureSnp({ firmware, ...given }, shape).warnings.map(({ code }) => code);

function refuses(code: string, shape: Partial<SnpShape>, given: Partial<SnpInputs> = {}): void {
  expect(() => measureSnp({ firmware, ...given }, { vcpus: 1, ...shape })).toThrow(
    expect.objectContaining({ code }) as Error,
  );
}

describe("measuring one guest: an impossible question gets no digest", () => {
  it("refuses vCPU counts that no guest has", () => {
    for (const vcpus of [0, -1, 513, 1.5, Number.NaN]) refuses("BP-SNP-001", { vcpus, cpu: "EPYC-Milan" });
  });

  it("refuses no CPU, two ways to say it, and a third of one", () => {
    refuses("BP-SNP-002", {});
    refuses("BP-SNP-002", { cpu: "EPYC-Milan", vcpuSig: 0xa00f11 });
    refuses("BP-SNP-002", { family: 25, model: 1 });
    refuses("BP-SNP-003", { vcpuSig: -1 });
    refuses("BP-SNP-003", { vcpuSig: 0x1_0000_0000 });
  });

  it("refuses guest features without SNPActive or beyond 64 bits, and warns of reserved bits", () => {
    refuses("BP-SNP-004", { cpu: "EPYC-Milan", guestFeatures: 0n });
    refuses("BP-SNP-004", { cpu: "EPYC-Milan", guestFeatures: 1n << 64n });
    refuses("BP-SNP-004", { cpu: "EPYC-Milan", guestFeatures: -1n });
    expect(warnings({}, { ...milan, guestFeatures: 0x20_0001n })).toEqual([]);
    expect(warnings({}, { ...milan, guestFeatures: 0x2_0001n })).toEqual(["BP-SNP-101"]);
  });

  it("refuses an initrd, a command line or kernel hashes without a kernel, as QEMU does", () => {
    for (const given of [{ initrd: kernel }, { cmdline: "quiet" }, { kernelHashes: true }])
      refuses("BP-SNP-005", { cpu: "EPYC-Milan" }, given);
  });

  it("refuses a VMM whose rules it does not know", () => {
    refuses("BP-SNP-007", { cpu: "EPYC-Milan", vmm: "toString" });
  });

  it("refuses a kernel on firmware that has no place for its hashes", () => {
    expect(() => measureSnp({ firmware: suffix("ovmf_OvmfX64_suffix.bin"), kernel }, milan)).toThrow(
      expect.objectContaining({ name: "ParseError", code: "MISSING" }) as Error,
    );
  });
});

describe("measuring one guest: what the answer says", () => {
  it("gives one digest for one CPU however it is named", () => {
    const named = digest({});
    expect(digest({}, { vcpus: 1, vcpuSig: 0xa00f11 })).toBe(named);
    expect(digest({}, { vcpus: 1, family: 25, model: 1, stepping: 1 })).toBe(named);
    expect(digest({}, { ...milan, guestFeatures: 1n, vmm: "qemu" })).toBe(named);
  });

  it("measures the kernel only with kernel hashes on, and says so", () => {
    const off = measureSnp({ firmware, kernel, kernelHashes: false }, milan);
    expect(off.registers).toEqual(measureSnp({ firmware }, milan).registers);
    expect(off.warnings.map(({ code }) => code)).toContain("BP-SNP-112");
    expect(off.coverage.notCovered.map(({ input }) => input)).toContain("kernel");
    const on = measureSnp({ firmware, kernel }, milan);
    expect(on.registers).not.toEqual(off.registers);
    expect(on.coverage.covered.map(({ input }) => input)).toEqual(
      expect.arrayContaining(["kernel", "initrd", "cmdline"]),
    );
  });

  it("takes a command line as text or bytes, and an absent one as an empty one", () => {
    const bytes = new TextEncoder().encode("root=/dev/vda unicode=π");
    expect(digest({ kernel, cmdline: bytes })).toBe(digest({ kernel, cmdline: "root=/dev/vda unicode=π" }));
    expect(digest({ kernel, cmdline: "" })).toBe(digest({ kernel }));
    expect(warnings({ kernel, cmdline: "quiet\n" })).toContain("BP-SNP-110");
  });

  it("names the shape in JSON and changes with each part of it", () => {
    const measurement = measureSnp({ firmware }, { vcpus: 2, cpu: "EPYC-v4", guestFeatures: 0x21n });
    expect(measurement.shape).toEqual({
      profile: "qemu-kvm-mainline",
      vmm: "qemu",
      vcpus: 2,
      cpu: "EPYC-v4",
      cpuSignature: "0x800f12",
      guestFeatures: "0x21",
    });
    expect(measurement.warnings.map(({ code }) => code)).toEqual(["BP-SNP-102"]);
    const others = [
      { ...milan, vcpus: 2 },
      { ...milan, cpu: "EPYC-Genoa" },
      { ...milan, guestFeatures: 0x21n },
    ];
    expect(new Set([digest({}), ...others.map((shape) => digest({}, shape))]).size).toBe(4);
  });
});
