import { describe, expect, it } from "vitest";

import { compareVmsas, describeFeatures, formatFieldDifference } from "./describe-vmsa.ts";
import { snpProfile } from "./profiles.ts";
import { buildVmsa, type VmsaState } from "./vmsa.ts";

const STATE: VmsaState = {
  role: "bsp",
  resetAddress: 0xffff_fff0,
  cpuSignature: 0x800f12,
  guestFeatures: 1n,
};

function fields(one: string, other: string, change: Partial<VmsaState> = {}): string[] {
  const a = buildVmsa(snpProfile(one).vmsa, STATE);
  const b = buildVmsa(snpProfile(other).vmsa, { ...STATE, ...change });
  return compareVmsas(a, b).map(formatFieldDifference);
}

describe("comparing VMSAs", () => {
  it("names the field of another CPU, of other features, of another reset address", () => {
    const same = "qemu-kvm-mainline";
    expect(fields(same, same, { cpuSignature: 0xa00f11 })).toEqual([
      "RDX (VMSA offset 0x310): 0x800f12 and 0xa00f11",
    ]);
    expect(fields(same, same, { guestFeatures: 0x21n })).toEqual([
      "SEV_FEATURES (VMSA offset 0x3b0): 0x1 and 0x21",
    ]);
    expect(fields(same, same, { resetAddress: 0x80b004 })).toEqual([
      "CS base (VMSA offset 0x18): 0xffff0000 and 0x800000",
      "RIP (VMSA offset 0x178): 0xfff0 and 0xb004",
    ]);
  });

  it("names what separates profiles", () => {
    expect(fields("qemu-kvm-mainline", "qemu-amdese-old")).toEqual([
      "MXCSR (VMSA offset 0x408): 0x1f80 and 0x0",
      "X87_FCW (VMSA offset 0x410): 0x37f and 0x0",
    ]);
    expect(fields("ec2-rdx600", "ec2-rdx0")).toEqual(["RDX (VMSA offset 0x310): 0x600 and 0x0"]);
  });

  it("hides no byte, named or not", () => {
    const page = new Uint8Array(4096);
    for (let offset = 0; offset < 4096; offset++)
      expect(compareVmsas(page, page.with(offset, 1)), `0x${offset.toString(16)}`).toHaveLength(1);
  });

  it("says which side has which features", () => {
    expect(describeFeatures(0x1n, 0x21n)).toEqual(["only B has DebugSwap"]);
    expect(describeFeatures(0x9n, 0x21n)).toEqual(["only A has RestrictedInjection", "only B has DebugSwap"]);
  });
});
