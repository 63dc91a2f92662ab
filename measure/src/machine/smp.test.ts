import { describe, expect, it } from "vitest";

import { snp } from "./machine.testing.ts";

describe("-smp: vCPUs at launch, as QEMU 7.2 counts them", () => {
  it.each<[string, number]>([
    ["", 1],
    ["-smp 4", 4],
    ["-smp cpus=2,maxcpus=4", 2],
    ["-smp maxcpus=3", 3],
    ["-smp sockets=2,cores=2,threads=2", 8],
    ["-smp cores=3", 3],
    ["-smp 2,cpus=3", 3],
    ["-smp cpus=0x4", 4],
    ["-smp 010", 8],
    ["-smp +4", 4],
    ["-smp 4,", 4],
    ["-smp 2,dies=2", 2],
    ["-smp 4 -smp maxcpus=8", 4],
    ["-smp 4,cores=2,sockets=2 -smp 8", 8],
    ["-machine smp.cpus=3", 3],
    ["--smp 2", 2],
  ])("%s is %d", (option, vcpus) => {
    expect(snp(` -bios f ${option}`).vcpus).toBe(vcpus);
  });
});
