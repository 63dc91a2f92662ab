import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const FIRMWARE = join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin");

interface Covered {
  readonly artifacts: { role: string; ranges: { length: number; seen: unknown[]; why?: string }[] }[];
  readonly parameters: { name: string; register?: string }[];
}

describe("coverage", () => {
  let kernel: string;
  beforeAll(async () => {
    kernel = join(await scratchFolder(), "kernel");
    await writeFile(kernel, "a kernel");
  });

  async function covered(...words: string[]): Promise<Covered> {
    const { exit, stdout, stderr } = await run(["coverage", ...words, "--ovmf", FIRMWARE, "--json"]);
    expect(exit, stderr).toBe(0);
    return JSON.parse(stdout) as Covered;
  }

  const seen = ({ artifacts }: Covered, role: string): boolean[] =>
    artifacts.find((artifact) => artifact.role === role)!.ranges.map((range) => range.seen.length > 0);

  it("accounts for every byte, and says who sees a kernel", async () => {
    const on = await covered("--kernel", kernel);
    expect(on.artifacts[0]!.ranges.reduce((sum, { length }) => sum + length, 0)).toBe(4096);
    expect(seen(on, "kernel")).toEqual([true]);
    const off = await covered("--kernel", kernel, "--no-kernel-hashes");
    expect(seen(off, "kernel")).toEqual([false]);
    expect(off.artifacts[1]!.ranges[0]!.why).toBe("kernel hashes are off");
  });

  it("names who sees each parameter, and what nobody sees", async () => {
    const { exit, stdout } = await run(["coverage", "--ovmf", FIRMWARE, "--vmm", "ec2", "--vcpus", "2"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^firmware +0x0\.\.0x[0-9a-f]+ +launchDigest +contents of NORMAL pages/m);
    expect(stdout).toMatch(/^CPU signature +nobody +the VMM resets RDX to a constant$/m);
    expect(stdout).toMatch(/^host data +nobody +the report has a field of its own for it$/m);
  });

  it("answers for SEV and SEV-ES too", async () => {
    const names = ({ parameters }: Covered): string[] =>
      parameters.filter(({ register }) => register !== undefined).map(({ name }) => name);
    expect(names(await covered("sev"))).toEqual([]);
    expect(names(await covered("sev-es"))).toContain("number of vCPUs");
  });

  it("tells the pages of an IGVM file that are hashed from those that are not", async () => {
    const file = join(ROOT, "measure/vectors/igvm/igvm-03-unmeasured.igvm");
    const { exit, stdout } = await run(["coverage", "--igvm", file, "--json"]);
    expect(exit).toBe(0);
    const { artifacts } = JSON.parse(stdout) as Covered;
    expect(new Set(seen({ artifacts, parameters: [] }, "igvm"))).toEqual(new Set([true, false]));
  });

  it("sees a command line as it was typed", async () => {
    const { artifacts } = await covered("--kernel", kernel, "--append", "quiet");
    expect(artifacts.find(({ role }) => role === "cmdline")?.ranges).toMatchObject([{ length: 5 }]);
  });

  it.each([
    ["an unknown platform", ["coverage", "tdx", "--ovmf", FIRMWARE], 64],
    ["no firmware", ["coverage"], 64],
    ["several shapes", ["coverage", "--ovmf", FIRMWARE, "--vcpus", "1..4", "--vcpu-type", "EPYC"], 64],
    ["an image that cannot launch", ["coverage", "--ovmf", join(ROOT, "package.json")], 65],
  ])("refuses %s", async (_name, argv, exit) => {
    expect((await run(argv)).exit).toBe(exit);
  });
});
