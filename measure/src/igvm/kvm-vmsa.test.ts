import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { compareVmsas } from "../snp/describe-vmsa.ts";
import { resetPage, vmsaWith } from "./igvm.testing.ts";
import { firstUnsynced, kvmRefusals, kvmVmsa } from "./kvm-vmsa.ts";

const snp = { features: 1n, fpu: true };
/** Names of fields that KVM changes in a VMSA. */
const changed = (page: Uint8Array) => compareVmsas(page, kvmVmsa(page, snp)).map(({ name }) => name);

describe("VMSAs that KVM builds: the measured page is not the file's", () => {
  it("leaves a processor in reset state as it is", () => {
    expect(changed(resetPage())).toEqual([]);
    expect(firstUnsynced(resetPage())).toBeUndefined();
    expect(kvmRefusals(resetPage())).toEqual([]);
  });

  it.each([
    ["EFER without SVME", { 0xd0: 0n }, ["EFER"]],
    ["CR4 without MCE", { 0x148: 0n }, ["CR4"]],
    ["CR0 with caches off and without ET", { 0x158: 0x6000_0001n }, ["CR0"]],
    ["RFLAGS without the bit that is always 1", { 0x170: 0n }, ["RFLAGS"]],
    ["a TR base of its own, which QEMU takes from LDTR", { 0x98: 0x5000n }, ["TR base"]],
    ["attributes of more than 12 bits", { 0x10: 0xffff_f09b_f000n }, ["CS attributes"]],
    ["attributes and selector of GDTR", { 0x60: 0xffff_0093_0008n }, ["GDTR selector", "GDTR attributes"]],
    ["a limit of IDTR beyond 16 bits", { 0x80: 0x0001_ffff_0000_0000n }, ["IDTR limit"]],
  ] as const)("changes %s", (_what, values, names) => {
    expect(changed(vmsaWith(values))).toEqual(names);
  });

  it("takes the privilege level from SS", () => {
    expect(kvmVmsa(vmsaWith({ 0x20: 0xffff_00f3_0000n }), snp)[0xcb]).toBe(3);
  });

  it("passes general registers, CR3, PAT and the floating-point control words on", () => {
    const registers = [
      0x150, 0x168, 0x178, 0x1d8, 0x1f8, 0x268, 0x308, 0x318, 0x328, 0x330, 0x338, 0x340, 0x378,
    ];
    const page = vmsaWith(
      Object.fromEntries(registers.map((offset) => [offset, BigInt(offset) * 0x1_0001n])),
    );
    expect(changed(page)).toEqual([]);
    expect(compareVmsas(page, kvmVmsa(page, { ...snp, fpu: false })).map(({ name }) => name)).toEqual([
      "MXCSR",
      "X87_FCW",
    ]);
  });

  it("finds bytes that does not reach KVM, and changes nothing twice", () => {
    const context = fc.uint8Array({ minLength: 4096, maxLength: 4096 });
    fc.assert(
      fc.property(context, (page) => {
        const measured = kvmVmsa(page, snp);
        expect(kvmVmsa(measured, snp)).toEqual(measured);
        // The privilege level is KVM's own: a context that sets it is refused.
        const own = measured.slice();
        own[0xcb] = 0;
        expect(firstUnsynced(own)).toBeUndefined();
        const lost = firstUnsynced(page);
        if (lost !== undefined && lost !== 0xcb) expect(measured[lost]).toBe(0);
      }),
      { numRuns: 50 },
    );
    expect(firstUnsynced(vmsaWith({ 0x3c8: 1n }))).toBe(0x3c8);
  });
});
