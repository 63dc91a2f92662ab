import { describe, expect, it } from "vitest";

import { codes, es, snp, stops } from "./machine.testing.ts";

describe("direct boot", () => {
  it("is measured with kernel-hashes=on only, and QEMU's default is off", () => {
    expect(snp(",kernel-hashes=on -bios f -kernel k").kernelHashes).toBe(true);
    const off = snp(" -bios f -kernel k -append x");
    expect(off.kernelHashes).toBe(false);
    expect(codes(off)).toContain("BP-MACHINE-106");
  });

  it("keeps an absent command line apart from an empty one, and paths with commas whole", () => {
    expect(snp(",kernel-hashes=on -bios f -kernel k").cmdline).toBeUndefined();
    expect(snp(",kernel-hashes=on -bios f -kernel k -append ''").cmdline).toBe("");
    expect(snp(",kernel-hashes=on -bios f -kernel k -initrd 'a b,c'").initrd).toBe("a b,c");
  });

  it("without a kernel does not start", () => {
    expect(codes(snp(",kernel-hashes=on -bios f"))).toContain("BP-MACHINE-102 stops");
    expect(codes(snp(" -bios f -append x"))).toContain("BP-MACHINE-102 stops");
    expect(codes(snp(" -bios f -initrd i"))).toContain("BP-MACHINE-102 stops");
    expect(stops(es(",kernel-hashes=on", " -bios f"))).toEqual([]);
  });

  it.each<[string, string]>([
    ["a device tree", "-dtb d"],
    ["microvm's own parameters", "-machine microvm"],
    ["an IGVM file", "-machine igvm-cfg=i -object igvm-cfg,id=i,file=g"],
  ])("with %s has a digest that we do not predict", (_, option) => {
    expect(codes(snp(`,kernel-hashes=on -bios f -kernel k ${option}`))).toContain("BP-MACHINE-105 stops");
  });

  it("with a shim says that it is in no hash", () => {
    expect(codes(snp(",kernel-hashes=on -bios f -kernel k -shim s"))).toContain("BP-MACHINE-106");
  });
});
