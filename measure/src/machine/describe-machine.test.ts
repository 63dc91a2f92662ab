import { describe, expect, it } from "vitest";

import { codes, SNP, snp, stops } from "./machine.testing.ts";
import { parseQemuCommandLine } from "./parse-qemu.ts";

describe("what is not on the command line", () => {
  it.each([
    "-readconfig c",
    "-incoming defer",
    "-loadvm x",
    "-set a.b.c=d",
    "-global EPYC-x86_64-cpu.stepping=3",
    "-device EPYC-x86_64-cpu,socket-id=1",
    `-device '{"driver":"EPYC-x86_64-cpu"}'`,
  ])("%s stops a measurement", (option) => {
    expect(codes(snp(` -bios f ${option}`))).toContain("BP-MACHINE-103 stops");
  });

  it("-global and -device of other things do not", () => {
    expect(stops(snp(" -bios f -global virtio-net.x=1 -device virtio-net,id=n"))).toEqual([]);
  });

  it("an accelerator that is not KVM does not start, none is taken for KVM", () => {
    const start = SNP.replace("-enable-kvm ", "");
    expect(codes(parseQemuCommandLine(`${start} -bios f -accel tcg`))).toContain("BP-MACHINE-102 stops");
    expect(codes(parseQemuCommandLine(`${start} -bios f -machine accel=tcg`))).toContain(
      "BP-MACHINE-102 stops",
    );
    for (const kvm of ["-accel kvm", "-machine accel=kvm:tcg", "--enable-kvm", ""])
      expect(stops(parseQemuCommandLine(`${start} -bios f ${kvm}`))).toEqual([]);
  });

  it("an option that we do not know is told, and takes a word that is none", () => {
    const description = snp(" -future x -bios f -flag -cpu EPYC");
    expect(description).toMatchObject({ firmware: "f", cpu: { name: "EPYC" } });
    expect(codes(description).filter((code) => code === "BP-MACHINE-103")).toHaveLength(2);
  });
});
