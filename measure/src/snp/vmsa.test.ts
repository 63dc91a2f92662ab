import { describe, expect, it } from "vitest";
import { formatHex, parseHex, sha384 } from "@bootproof/bytes";
import type { VcpuRole, VmsaProfile } from "./profile.ts";
import { profileNamed, snpProfile } from "./profiles.ts";
import { vectors } from "./vectors.testing.ts";
import { buildVmsa } from "./vmsa.ts";

interface VmsaVector {
  readonly name: string;
  readonly profile: string;
  readonly role: VcpuRole;
  readonly resetAddress: string;
  readonly cpuSignature: string;
  readonly guestFeatures: string;
  readonly sha384: string;
  readonly nonzero: [string, string][];
}

function vmsaOf(name: string): VmsaProfile {
  const profile = profileNamed(name);
  if (profile.platform === "sev") throw new Error(`${name} has no VMSA`);
  return profile.vmsa;
}

describe("VMSA: one wrong register makes every digest wrong", () => {
  it.each(vectors<VmsaVector>("vmsa.json"))("$name", (vector) => {
    const page = buildVmsa(vmsaOf(vector.profile), {
      role: vector.role,
      resetAddress: Number(vector.resetAddress),
      cpuSignature: Number(vector.cpuSignature),
      guestFeatures: BigInt(vector.guestFeatures),
    });
    const expected = new Uint8Array(4096);
    for (const [offset, hex] of vector.nonzero) expected.set(parseHex(hex, "bytes"), Number(offset));
    expect(formatHex(page)).toBe(formatHex(expected));
    expect(formatHex(sha384(page))).toBe(vector.sha384);
  });

  it("keeps a reset address and a signature with the top bit set", () => {
    const page = buildVmsa(snpProfile("qemu").vmsa, {
      role: "ap",
      resetAddress: 0xffff_fff0,
      cpuSignature: 0xffff_ffff,
      guestFeatures: 0x8000_0000_0000_0001n,
    });
    const view = new DataView(page.buffer);
    expect(view.getBigUint64(0x018, true)).toBe(0xffff_0000n);
    expect(view.getBigUint64(0x310, true)).toBe(0xffff_ffffn);
    expect(view.getBigUint64(0x3b0, true)).toBe(0x8000_0000_0000_0001n);
  });
});
