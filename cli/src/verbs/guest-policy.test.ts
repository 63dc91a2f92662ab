import { describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";

describe("guest-policy", () => {
  it("says of every bit what it means, and warns of what exposes the guest", async () => {
    const { exit, stdout, stderr } = await run(["guest-policy", "0xb0000"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^19 {4}debug {19}1 {6}the host may read and write/m);
    expect(stdout).toContain("KVM: takes it");
    expect(stderr).toContain("BP-ID-101");
  });

  it("says what KVM refuses", async () => {
    const { stdout } = await run(["guest-policy", "0x70000", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "bootproof/guest-policy/1",
      platform: "snp",
      policy: "0x70000",
      reserved: "0x0",
      kvm: { accepted: false },
      warnings: [{ code: "BP-ID-105" }],
    });
    expect((await run(["guest-policy", "0x10000"])).stdout).toContain("KVM: refuses it: bit 17");
    expect((await run(["guest-policy", "0xffffffffffffffff"])).exit).toBe(0);
  });

  it.each([
    [["smt"], "0x30000"],
    [["SMT", "debug", "--abi", "1.55"], "0xb0137"],
    [["smt,single-socket"], "0x130000"],
    [["nodbg,noks,es", "--sev"], "0x7"],
    [["nodbg", "--sev", "--abi", "0.24"], "0x18000001"],
  ])("builds %j", async (argv, policy) => {
    const { exit, stdout } = await run(["guest-policy", ...argv]);
    expect(exit).toBe(0);
    expect(stdout.split("\n")[0]).toBe(policy);
  });

  it.each([
    [["0x10000000000000000"]],
    [["0x100000000", "--sev"]],
    [["smt,smt"]],
    [["nodbg"]],
    [["smt", "--sev"]],
    [["smt", "--abi", "1.256"]],
    [["smt", "--abi", "1"]],
    [["0x30000", "--abi", "1.55"]],
    [["-1"]],
    [[""]],
    [[]],
  ])("refuses %j", async (argv) => {
    const { exit, stdout } = await run(["guest-policy", ...argv]);
    expect(exit).toBe(64);
    expect(stdout).toBe("");
  });
});
