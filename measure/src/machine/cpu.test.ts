import { describe, expect, it } from "vitest";

import type { MachineDescription } from "./description.ts";
import { codes, es, lacks, snp } from "./machine.testing.ts";

describe("-cpu", () => {
  it.each<[string, MachineDescription["cpu"]]>([
    ["", { kind: "model", name: "qemu64" }],
    ["-cpu EPYC-v4", { kind: "model", name: "EPYC-v4" }],
    ["-cpu EPYC-Milan,+x2apic,-svm,pmu=off", { kind: "model", name: "EPYC-Milan" }],
    ["-cpu EPYC -cpu EPYC-Genoa", { kind: "model", name: "EPYC-Genoa" }],
    ["-cpu EPYC-v4,stepping=3", { kind: "identity", name: "EPYC-v4", family: 23, model: 1, stepping: 3 }],
    [
      "-cpu EPYC-Turin,family=0x1a,model=17",
      { kind: "identity", name: "EPYC-Turin", family: 26, model: 17, stepping: 0 },
    ],
    [
      "-cpu host,family=25,model=1,stepping=1",
      { kind: "identity", name: "host", family: 25, model: 1, stepping: 1 },
    ],
    ["-cpu host,migratable=off", { kind: "host", name: "host" }],
    ["-cpu max", { kind: "host", name: "max" }],
  ])("%s", (option, cpu) => {
    expect(snp(` -bios f ${option}`).cpu).toEqual(cpu);
  });

  it("host has no signature in the command line: the CPU is missing, not guessed", () => {
    expect(lacks(snp(" -bios f -cpu host"))).toEqual(["cpu"]);
    expect(lacks(snp(" -bios f -cpu host,stepping=1"))).toEqual(["cpu"]);
    expect(lacks(snp(" -bios f -cpu Custom-Model,stepping=1"))).toEqual(["cpu"]);
    expect(lacks(es(",policy=1", " -bios f -cpu host"))).toEqual([]);
  });

  it("absent is qemu64, and said so where it is measured", () => {
    expect(codes(snp(" -bios f -smp 1"))).toContain("BP-MACHINE-104");
  });
});
