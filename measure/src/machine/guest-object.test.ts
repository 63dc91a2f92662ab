import { describe, expect, it } from "vitest";

import { codes, es, snp } from "./machine.testing.ts";
import { parseQemuCommandLine } from "./parse-qemu.ts";

describe("the guest object", () => {
  it("must be named by the machine, or the guest is an ordinary one", () => {
    const unnamed = parseQemuCommandLine(
      "qemu-kvm -enable-kvm -object sev-snp-guest,id=s,cbitpos=51 -bios f",
    );
    expect(unnamed.platform).toBeUndefined();
    expect(codes(unnamed)).toContain("BP-MACHINE-101 stops");
    expect(codes(parseQemuCommandLine("qemu-kvm -enable-kvm -bios f"))).toContain("BP-MACHINE-101 stops");
    expect(codes(parseQemuCommandLine("qemu-kvm -M q35,confidential-guest-support=x -bios f"))).toContain(
      "BP-MACHINE-102 stops",
    );
    expect(
      codes(parseQemuCommandLine("qemu-kvm -M confidential-guest-support=t -object tdx-guest,id=t -bios f")),
    ).toContain("BP-MACHINE-101 stops");
  });

  it("may be named by the old property", () => {
    expect(
      parseQemuCommandLine("qemu-kvm -M q35,memory-encryption=s -object sev-guest,id=s -bios f").platform,
    ).toBe("sev");
  });

  it("is SEV-ES by bit 2 of its policy; the defaults are SEV and 0x30000", () => {
    expect(es("")).toMatchObject({ platform: "sev", policy: 1n, profileHints: [] });
    expect(es(",policy=0x4")).toMatchObject({ platform: "sev-es", policy: 4n, profileHints: ["es-legacy"] });
    expect(es(",policy=5,legacy-vm-type=on").profileHints).toEqual(["es-legacy"]);
    expect(es(",policy=5,legacy-vm-type=auto").profileHints).toEqual(["es-legacy"]);
    expect(es(",policy=5,legacy-vm-type=off").profileHints).toEqual(["es-init2"]);
    expect(snp("").policy).toBe(0x30000n);
  });

  it("holds host data and identity as bytes", () => {
    const base64 = (byte: number, length: number): string =>
      btoa(String.fromCharCode(...new Uint8Array(length).fill(byte)));
    const description = snp(
      `,host-data=${base64(1, 32)},id-block=${base64(2, 96)},id-auth=${base64(3, 4096)},author-key-enabled=on`,
    );
    expect(description.hostData).toEqual(new Uint8Array(32).fill(1));
    expect(description.idBlock).toEqual(new Uint8Array(96).fill(2));
    expect(description.idAuth).toEqual(new Uint8Array(4096).fill(3));
    expect(description.authorKeyEnabled).toBe(true);
    expect(codes(snp(`,id-block=${base64(2, 96)}`))).toContain("BP-MACHINE-102 stops");
    expect(codes(snp(`,id-auth=${base64(2, 4096)}`))).toContain("BP-MACHINE-102 stops");
  });

  it("sets guest features by the properties of patched QEMUs", () => {
    expect(snp("").guestFeatures).toBeUndefined();
    expect(snp(",debug-swap=on").guestFeatures).toBe(0x21n);
    expect(snp(",secure-tsc=on,debug-swap=off").guestFeatures).toBe(0x201n);
    expect(codes(snp(",init-flags=5"))).toContain("BP-MACHINE-105 stops");
  });

  it("of AMD's out-of-tree branches points to their profile", () => {
    expect(snp(",discard=none").profileHints).toEqual(["qemu-amdese-old"]);
    expect(
      snp(" -object memory-backend-memfd-private,id=r -machine kvm-type=protected").profileHints,
    ).toEqual(["qemu-amdese-old"]);
  });

  it("with a property that we do not know says so", () => {
    expect(codes(snp(",future=on"))).toContain("BP-MACHINE-103");
    expect(codes(es(",future=on"))).toContain("BP-MACHINE-103");
  });
});
