import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildSevPolicy, decodeSevPolicy, SEV_POLICY_BITS } from "./sev-policy.ts";

const warnings = (policy: bigint): string[] => decodeSevPolicy(policy).warnings.map(({ code }) => code);

describe("SEV policy: its bits forbid what the bits of SNP allow", () => {
  it.each([
    ["no debugging, no key sharing", 0x3n, []],
    ["QEMU's default", 0x1n, ["BP-ID-107"]],
    ["SEV-ES with everything forbidden", 0xfn, []],
    ["zero: the host may debug", 0n, ["BP-ID-101", "BP-ID-107"]],
    ["with a reserved bit", 0x43n, ["BP-ID-103"]],
    ["with a firmware API", 0x3701_0003n, ["BP-ID-104"]],
  ])("%s", (_what, policy, codes) => {
    expect(warnings(policy)).toEqual(codes);
  });

  it("has the API's parts the other way round than SNP", () => {
    const { fields } = decodeSevPolicy(0x3701_0005n);
    expect(fields.map(({ bits, name, value }) => `${bits} ${name} ${value}`)).toEqual([
      "0 nodbg 1",
      "1 noks 0",
      "2 es 1",
      "3 nosend 0",
      "4 domain 0",
      "5 sev 0",
      "23:16 api-major 1",
      "31:24 api-minor 55",
    ]);
    expect(buildSevPolicy(["nodbg", "es"], { major: 1, minor: 55 })).toBe(0x3701_0005n);
  });

  it("builds from names what it decodes to", () => {
    const names = fc.subarray(SEV_POLICY_BITS.map(({ name }) => name));
    fc.assert(
      fc.property(names, fc.nat(255), fc.nat(255), (given, major, minor) => {
        const { fields, reserved } = decodeSevPolicy(buildSevPolicy(given, { major, minor }));
        const set = fields.filter(({ bits, value }) => !bits.includes(":") && value === 1);
        expect(set.map(({ name }) => name)).toEqual(given);
        expect(reserved).toBe(0n);
      }),
    );
  });

  it("refuses names of SNP bits and policies beyond 32 bits", () => {
    expect(() => buildSevPolicy(["smt"])).toThrow(expect.objectContaining({ code: "BP-ID-001" }));
    expect(() => decodeSevPolicy(1n << 32n)).toThrow(expect.objectContaining({ code: "BP-ID-001" }));
  });
});
