import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const VECTORS = join(ROOT, "measure/vectors");
const FIRMWARE = join(VECTORS, "ovmf_AmdSev_suffix.bin");

interface Row {
  readonly name: string;
  readonly firmware: string;
  readonly vcpus: number;
  readonly cpu?: string;
  readonly vcpuSig?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly guestFeatures?: string;
  readonly want: string;
}

async function vectors<T>(file: string): Promise<T[]> {
  return (JSON.parse(await readFile(join(VECTORS, file), "utf8")) as { vectors: T[] }).vectors;
}

/** A direct-boot input by the rule that inputs.json states. */
function inputBytes(name: string, size: number): Buffer {
  const blocks = Math.ceil(size / 32);
  const bytes = Buffer.concat(
    Array.from({ length: blocks }, (_, index) =>
      createHash("sha256")
        .update(`${name}:${String(index)}`)
        .digest(),
    ),
  ).subarray(0, size);
  if (name === "kernel-bz") {
    bytes[0x1f1] = 0x01;
    bytes.write("HdrS", 0x202, "latin1");
    bytes.writeUInt16LE(0x020f, 0x206);
    bytes[0x211] = 0x01;
  }
  return bytes;
}

describe("measure snp", () => {
  let folder: string;
  let rows: Row[];
  beforeAll(async () => {
    folder = await scratchFolder();
    rows = (await vectors<Row>("launch-digests.json")).filter(
      ({ firmware }) => firmware === "ovmf_AmdSev_suffix.bin",
    );
    for (const { name, size } of await vectors<{ name: string; size: number }>("inputs.json"))
      await writeFile(join(folder, name), inputBytes(name, size));
  });

  it("gives the published launch digest of every row whose firmware is here", async () => {
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) {
      const option = (name: string, value: string | undefined): string[] =>
        value === undefined ? [] : [name, value];
      const argv = [
        ...["measure", "snp", "--ovmf", FIRMWARE, "--vcpus", String(row.vcpus), "--json", "--quiet"],
        ...option("--vcpu-type", row.cpu),
        ...option("--vcpu-sig", row.vcpuSig),
        ...option("--kernel", row.kernel && join(folder, row.kernel)),
        ...option("--initrd", row.initrd && join(folder, row.initrd)),
        ...option("--append", row.append),
        ...option("--guest-features", row.guestFeatures),
      ];
      const { exit, stdout, stderr } = await run(argv);
      expect(exit, `${row.name}: ${stderr}`).toBe(0);
      const { registers } = JSON.parse(stdout) as { registers: { launchDigest: string } };
      expect(registers.launchDigest, row.name).toBe(row.want);
    }
  });

  it("measures a command line file byte for byte, like --append", async () => {
    const cmdline = join(folder, "cmdline");
    await writeFile(cmdline, " both ");
    const common = [
      "measure",
      "snp",
      "--ovmf",
      FIRMWARE,
      "--vcpus",
      "2",
      "--vcpu-type",
      "EPYC-Milan",
      "--kernel",
      join(folder, "kernel-a"),
    ];
    const typed = await run([...common, "--append", " both "]);
    const read = await run([...common, "--append-file", cmdline]);
    expect(typed.stdout).toMatch(/^launchDigest {2}41531c2502316f54/);
    expect(read.stdout).toBe(typed.stdout);
  });

  it("leaves the kernel out with --no-kernel-hashes, and says so", async () => {
    const common = ["measure", "snp", "--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC"];
    const { stdout, stderr } = await run([
      ...common,
      "--kernel",
      join(folder, "kernel-a"),
      "--no-kernel-hashes",
    ]);
    expect(stdout).toMatch(/^launchDigest {2}ae7e31b6/);
    expect(stderr).toContain("BP-SNP-112");
  });

  it("prints each page with --trace, the digest last", async () => {
    const { stdout } = await run([
      "measure",
      "snp",
      "--ovmf",
      FIRMWARE,
      "--vcpus",
      "2",
      "--vcpu-type",
      "EPYC",
      "--trace",
    ]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.includes(" VMSA "))).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^launchDigest {2}ae7e31b6/);
  });

  it.each([
    ["no CPU", ["--vcpus", "1"], 64, "BP-SNP-002"],
    [
      "two ways to name the CPU",
      ["--vcpus", "1", "--vcpu-type", "EPYC", "--vcpu-sig", "0x0"],
      64,
      "BP-SNP-002",
    ],
    ["an unknown model", ["--vcpus", "1", "--vcpu-type", "epyc"], 64, "BP-SNP-002"],
    ["no vCPU", ["--vcpus", "0", "--vcpu-type", "EPYC"], 64, "BP-SNP-001"],
    ["vCPUs that are no number", ["--vcpus", "1e3", "--vcpu-type", "EPYC"], 64, "BP-USAGE-002"],
    [
      "features of no SNP guest",
      ["--vcpus", "1", "--vcpu-type", "EPYC", "--guest-features", "0x2"],
      64,
      "BP-SNP-004",
    ],
    [
      "an initrd without a kernel",
      ["--vcpus", "1", "--vcpu-type", "EPYC", "--append", "x"],
      64,
      "BP-SNP-005",
    ],
    ["an unknown VMM", ["--vcpus", "1", "--vcpu-type", "EPYC", "--vmm", "xen"], 64, "BP-SNP-007"],
    ["a missing file", ["--vcpus", "1", "--vcpu-type", "EPYC", "--kernel", "/nope"], 66, "BP-FILE-001"],
    ["a folder", ["--vcpus", "1", "--vcpu-type", "EPYC", "--kernel", "/"], 66, "BP-FILE-003"],
  ])("refuses %s", async (_name, options, exit, code) => {
    const result = await run(["measure", "snp", "--ovmf", FIRMWARE, ...options, "--json"]);
    expect(result.exit).toBe(exit);
    expect((JSON.parse(result.stdout) as { error: { code: string } }).error.code).toBe(code);
  });
});
