import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MeasureError } from "../measure-error.ts";
import { buildGuestPolicy, decodeGuestPolicy, GUEST_POLICY_BITS, kvmPolicyFault } from "./guest-policy.ts";

const warnings = (policy: bigint): string[] => decodeGuestPolicy(policy).warnings.map(({ code }) => code);
const anyPolicy = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

describe("SNP guest policy: a misread bit lets the host debug the guest", () => {
  it.each([
    ["QEMU's default", 0x3_0000n, []],
    ["Google's", 0x7_0000n, ["BP-ID-105"]],
    ["with debugging", 0xb_0000n, ["BP-ID-101"]],
    ["with bit 17 clear", 0x1_0000n, ["BP-ID-102"]],
    ["without SMT", 0x2_0000n, ["BP-ID-106"]],
    ["for a single socket", 0x13_0000n, ["BP-ID-106"]],
    ["with a firmware ABI", 0x3_0137n, ["BP-ID-104"]],
    ["with every known bit", 0x3ff_0000n, ["BP-ID-101", "BP-ID-105", "BP-ID-106"]],
    ["with a reserved bit", 0x403_0000n, ["BP-ID-103"]],
    ["with the highest bit", 0x8000_0000_0003_0000n, ["BP-ID-103"]],
    ["zero", 0n, ["BP-ID-102", "BP-ID-106"]],
  ])("%s", (_what, policy, codes) => {
    expect(warnings(policy)).toEqual(codes);
  });

  it("decodes every bit where the specification has it", () => {
    const { fields, reserved } = decodeGuestPolicy(0x152_0137n);
    expect(reserved).toBe(0n);
    expect(fields.map(({ bits, name, value }) => `${bits} ${name} ${value}`)).toEqual([
      "7:0 abi-minor 55",
      "15:8 abi-major 1",
      "16 smt 0",
      "17 reserved-one 1",
      "18 migrate-ma 0",
      "19 debug 0",
      "20 single-socket 1",
      "21 cxl-allow 0",
      "22 mem-aes-256-xts 1",
      "23 rapl-dis 0",
      "24 ciphertext-hiding-dram 1",
      "25 page-swap-disable 0",
    ]);
    expect(fields[0]!.meaning).toBe("firmware ABI: 1.55 or newer");
  });

  it("loses no bit: fields and reserved bits together are the policy", () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const { fields, reserved } = decodeGuestPolicy(policy);
        const whole = fields.reduce((sum, { bits, value }) => {
          const lowest = bits.split(":").at(-1)!;
          return sum | (BigInt(value) << BigInt(lowest));
        }, reserved);
        expect(whole).toBe(policy);
      }),
    );
  });

  it("builds from names what it decodes to", () => {
    const names = fc.subarray(GUEST_POLICY_BITS.map(({ name }) => name));
    fc.assert(
      fc.property(names, fc.nat(255), fc.nat(255), (given, major, minor) => {
        const { fields, reserved } = decodeGuestPolicy(buildGuestPolicy(given, { major, minor }));
        const set = fields.filter(({ bits, value }) => !bits.includes(":") && value === 1);
        expect(set.map(({ name }) => name).filter((name) => name !== "reserved-one")).toEqual(
          given.filter((name) => name !== "reserved-one"),
        );
        expect([fields[1]!.value, fields[0]!.value, reserved]).toEqual([major, minor, 0n]);
      }),
    );
    expect(buildGuestPolicy(["SMT"])).toBe(0x3_0000n);
    expect(buildGuestPolicy(["smt", "MIGRATE_MA"])).toBe(0x7_0000n);
  });

  it.each([
    ["an unknown name", () => buildGuestPolicy(["smd"])],
    ["a name given twice", () => buildGuestPolicy(["smt", "SMT"])],
    ["a version beyond a byte", () => buildGuestPolicy([], { major: 1, minor: 256 })],
    ["a policy of 65 bits", () => decodeGuestPolicy(1n << 64n)],
    ["a negative policy", () => decodeGuestPolicy(-1n)],
  ])("refuses %s", (_what, build) => {
    expect(build).toThrow(MeasureError);
    expect(build).toThrow(expect.objectContaining({ code: "BP-ID-001" }));
  });

  it("says why KVM refuses a policy", () => {
    expect(kvmPolicyFault(0x3_0000n)).toBeUndefined();
    expect(kvmPolicyFault(0x3eb_0137n)).toBeUndefined();
    expect(kvmPolicyFault(0x1_0000n)).toContain("bit 17");
    expect(kvmPolicyFault(0x7_0000n)).toContain("migration");
    expect(kvmPolicyFault(0x403_0000n)).toContain("26");
  });
});
