import { sha256, sha384 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";

import { explain } from "../explain/index.ts";
import { measuredSide } from "../explain/measured-side.ts";
import { identifyVmsa } from "./identify-vmsa.ts";
import { sevEsProfile, snpProfile } from "./profiles.ts";
import { suffix } from "./vectors.testing.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "./vmsa.ts";

const BSP = { role: "bsp", resetAddress: BSP_RESET_ADDRESS } as const;

describe("the shape behind a VMSA digest", () => {
  it.each([
    ["qemu-kvm-mainline", 0xa00f11, 0x21n],
    ["qemu-amdese-old", 0x800f12, 0x1n],
    ["qemu-kvm-mainline", 0xb00f21, 0x1n],
  ])("is found: %s, CPU %i, features %i", (profile, cpuSignature, guestFeatures) => {
    const page = buildVmsa(snpProfile(profile).vmsa, { ...BSP, cpuSignature, guestFeatures });
    const found = identifyVmsa(sha384(page), "snp");
    expect([found?.profile?.name, found?.cpuSignature, found?.guestFeatures]).toEqual([
      ...[profile, cpuSignature, guestFeatures],
    ]);
  });

  it("is found for SEV-ES, and not made up for what nothing gives", () => {
    const page = buildVmsa(sevEsProfile("es-legacy").vmsa, {
      ...BSP,
      cpuSignature: 0x800f12,
      guestFeatures: 0n,
    });
    expect(identifyVmsa(sha256(page), "sev-es")?.profile?.name).toBe("es-legacy");
    expect(identifyVmsa(sha384(new Uint8Array(4096)), "snp")).toBeUndefined();
  });

  it("names the field in which traces differ that say nothing of their shapes", () => {
    const firmware = suffix("ovmf_AmdSev_suffix.bin");
    const side = (shape: object): ReturnType<typeof measuredSide> => ({
      ...measuredSide("snp", { firmware }, { vcpus: 2, cpu: "EPYC-v4", ...shape }),
      shape: {},
    });
    const { first } = explain(side({}), side({ cpu: "EPYC-Genoa" }));
    expect([first?.subject, first?.details[0]]).toEqual([
      "cpu",
      "RDX (VMSA offset 0x310): 0x800f12 and 0xa10f10",
    ]);
    expect(explain(side({}), side({ guestFeatures: 0x21n })).first?.subject).toBe("guestFeatures");
    expect(explain(side({}), side({ vmm: "ec2" })).first?.subject).toBe("profile");
  });
});
