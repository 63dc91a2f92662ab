import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { parseDigest } from "@bootproof/bytes";
import { formatFirmwareReference } from "@bootproof/measure/snp";

import { runProgram } from "../run.ts";
import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const FIRMWARE = join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin");
const CMDLINE = "console=ttyS0 root=/dev/vda";

interface Solution {
  readonly verdict: string;
  readonly predicted?: string;
  readonly match?: {
    readonly differences: readonly {
      readonly input: string;
      readonly given?: string;
      readonly found: string;
    }[];
    readonly tools: readonly string[];
    readonly guest: Readonly<Record<string, unknown>>;
    readonly command?: string;
  };
  readonly tried: { readonly digests: number; readonly stages: readonly { readonly complete: boolean }[] };
  readonly notTried: readonly { readonly what: string }[];
}

describe("explain --observed: which guest gave this launch digest", () => {
  let folder: string;
  let files: string[];
  beforeAll(async () => {
    folder = await scratchFolder();
    await writeFile(join(folder, "kernel"), "a kernel");
    await writeFile(join(folder, "initrd"), "an initrd");
    await writeFile(join(folder, "cmdline"), `${CMDLINE}\n`);
    files = ["--ovmf", FIRMWARE, "--kernel", join(folder, "kernel"), "--initrd", join(folder, "initrd")];
  });

  const claim = (): string[] => [...files, "--append", CMDLINE, "--vcpu-type", "EPYC-v4", "--vcpus", "4"];

  /** What a machine with other inputs than the claimed ones reports. */
  const reported = (...changed: string[]): Promise<string> => reportedBy("snp", ...changed);

  async function reportedBy(platform: string, ...changed: string[]): Promise<string> {
    const { stdout } = await run(["measure", platform, ...changed, "--json", "--quiet"]);
    return (JSON.parse(stdout) as { registers: { launchDigest: string } }).registers.launchDigest;
  }

  async function solved(observed: string, ...options: string[]) {
    const { exit, stdout } = await run(["explain", "--observed", observed, ...options, "--json", "--quiet"]);
    return { exit, solution: JSON.parse(stdout) as Solution };
  }

  const CPU = ["--vcpu-type", "EPYC-v4"];
  const APPEND = ["--append", CMDLINE];

  it("says yes, exit 0, to the inputs as given", async () => {
    const observed = await reported(...claim());
    const { exit, stdout } = await run(["explain", "--observed", observed, ...claim()]);
    expect([exit, stdout]).toEqual([0, "matches: these inputs give this launch digest\n"]);
    expect((await solved(observed, ...claim())).solution.predicted).toBe(observed);
  });

  it("names the number of vCPUs, both values and what to type, exit 1", async () => {
    const observed = await reported(...files, ...APPEND, ...CPU, "--vcpus", "8");
    const { exit, stdout } = await run(["explain", "--observed", observed.toUpperCase(), ...claim()]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^matches with 8 vCPUs instead of 4\n {2}usual cause: /);
    expect(stdout).toMatch(/^type: bootproof measure snp .*--vcpus 8 --vcpu-type EPYC-v4$/m);
  });

  it("types commands that measure what was observed, also where a shell needs care", async () => {
    const guests = {
      newline: [...files, "--append-file", join(folder, "cmdline"), ...CPU, "--vcpus", "4"],
      features: [...claim(), "--guest-features", "0x21"],
      profile: [...claim(), "--profile", "qemu-amdese-old"],
      off: [...claim(), "--no-kernel-hashes"],
      quotes: [...files, "--append", `"${CMDLINE}"`, ...CPU, "--vcpus", "4"],
      host: [...files, ...APPEND, "--vcpus", "4", "--vcpu-sig", "0xa10f11"],
    };
    for (const [name, guest] of Object.entries(guests)) {
      const observed = await reported(...guest);
      const { exit, solution } = await solved(observed, ...claim());
      expect([name, exit, solution.match?.differences.length]).toEqual([name, 1, 1]);
      const script = `bootproof() { "${join(ROOT, "cli/bin/bootproof")}" "$@"; }; ${solution.match?.command ?? ""} --quiet`;
      const printed = execFileSync("bash", ["-c", script], { encoding: "utf8" });
      expect(printed).toContain(observed);
    }
  });

  it("fills in what is not given, and that is a yes", async () => {
    const observed = await reported(...files, ...APPEND, "--vcpus", "12", "--vcpu-type", "EPYC-Milan");
    const { exit, solution } = await solved(observed, ...files, ...APPEND);
    expect([exit, solution.verdict]).toEqual([0, "match"]);
    expect(solution.match?.guest).toMatchObject({ vcpus: 12, cpu: "EPYC-Milan", cpuSignature: "0xa00f11" });
    expect(solution.predicted).toBeUndefined();
  });

  it("finds an EC2 guest of the older hosts from a firmware reference, and names snpguest", async () => {
    // aws/uefi issue 10: a report of August 2023 on m6a.xlarge.
    const observed =
      "25ac810f5c4750890fb1a158f097962e04d4d7fb640d1d08a99829cf4a70543a47cc6fb192bbe90aa713142361a66155";
    const sections = [
      [0x800000, 0x9000, 1],
      [0x80a000, 0x3000, 1],
      [0x80d000, 0x1000, 2],
      [0x80e000, 0x1000, 3],
      [0x80f000, 0x11000, 1],
    ] as const;
    const reference = formatFirmwareReference({
      size: 4_194_304,
      seed: parseDigest(
        "sha384",
        "2027a27bb9f7acfd280e4c7bd68a73973b94bf0756e5b282e004b9395f597b8d0eb4defa7d8f6549375aa4d2b146f0f3",
      ),
      resetAddress: 0x80b004,
      metadata: {
        offset: 0,
        length: 0,
        unread: 0,
        sections: sections.map(([guestAddress, size, type], index) => ({
          index,
          guestAddress,
          size,
          type,
          name: undefined,
          offset: 0,
        })),
      },
      hashTable: undefined,
    });
    const path = join(folder, "ec2.json");
    await writeFile(path, reference);
    const { exit, stdout } = await run([
      "explain",
      "--observed",
      observed,
      "--ovmf",
      path,
      "--vmm",
      "ec2",
      "--vcpus",
      "4",
    ]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^matches with profile ec2-rdx0 instead of profile ec2-rdx600\n/);
    expect(stdout).toContain("snpguest");
    expect(stdout).toContain(`type: bootproof measure snp --ovmf ${path} --vcpus 4 --profile ec2-rdx0\n`);
  });

  it("searches guests of SEV-ES and SEV by digests of 32 bytes", async () => {
    const observed = await reportedBy("sev-es", ...claim(), "--profile", "es-init2");
    const { exit, solution } = await solved(observed, ...claim());
    expect([exit, solution.match?.differences.map(({ found }) => found)]).toEqual([1, ["profile es-init2"]]);
    expect(solution.match?.command).toMatch(/^bootproof measure sev-es .*--profile es-init2$/);
    const plain = await reportedBy("sev", ...files, ...APPEND);
    const other = await solved(plain, ...claim());
    expect([other.exit, other.solution.match?.command]).toEqual([
      1,
      `bootproof measure sev ${files.join(" ")} --append '${CMDLINE}'`,
    ]);
    expect((await solved(plain, ...files, ...APPEND, "--mode", "sev")).exit).toBe(0);
  });

  it("searches guests that boot IGVM files, and names the reading", async () => {
    const igvm = ["--igvm", join(ROOT, "measure/vectors/igvm/igvm-02-zero-page.igvm"), "--vcpus", "1"];
    const observed = await reported(...igvm, "--reading", "igvmmeasure-native-zero");
    const { exit, solution } = await solved(observed, ...igvm);
    expect([exit, solution.match?.guest]).toMatchObject([1, { reading: "igvmmeasure-native-zero" }]);
    expect((await solved(await reported(...igvm), ...igvm)).exit).toBe(0);
  });

  it("searches what a machine's own definition leaves open", async () => {
    const qemu = `qemu-system-x86_64 -enable-kvm -cpu host -smp 4 -machine q35,confidential-guest-support=s
      -object sev-snp-guest,id=s,kernel-hashes=on -bios ${FIRMWARE} -kernel ${join(folder, "kernel")}
      -initrd ${join(folder, "initrd")} -append '${CMDLINE}'`;
    const path = join(folder, "qemu.sh");
    await writeFile(path, qemu.replaceAll("\n", " "));
    const observed = await reported(...files, ...APPEND, "--vcpus", "4", "--vcpu-sig", "0xa10f11");
    const { exit, solution } = await solved(observed, "--from-qemu", path);
    expect([exit, solution.match?.differences.map(({ found }) => found)]).toEqual([
      0,
      ["CPU signature 0xa10f11 (Genoa)"],
    ]);
  });

  it("says what it tried, exit 2, when nothing matches, and keeps to its time", async () => {
    const start = performance.now();
    const { exit, solution } = await solved("ab".repeat(48), ...claim(), "--effort", "1");
    expect(performance.now() - start).toBeLessThan(10_000);
    expect([exit, solution.verdict, solution.match]).toEqual([2, "none", undefined]);
    expect(solution.tried.digests).toBeGreaterThan(100_000);
    expect(solution.tried.stages.at(-1)?.complete).toBe(false);
    const { stdout } = await run(["explain", "--observed", "ab".repeat(48), ...claim(), "--effort", "0"]);
    for (const said of ["no match", "CPU signatures", "SHA-256", "--effort 300"])
      expect(stdout).toContain(said);
  });

  it("stops when it is interrupted, exit 130", async () => {
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(), 200);
    const stderr: string[] = [];
    const exit = await runProgram(["explain", "--observed", "ab".repeat(48), ...claim(), "--effort", "600"], {
      stdout: { write: () => true },
      stderr: { write: (text) => stderr.push(text) },
      env: {},
      cwd: folder,
      signal: interrupt.signal,
    });
    expect(exit).toBe(130);
    expect(stderr.join("")).toContain("interrupted");
  });

  it("tells a hash of a file from a launch digest", async () => {
    const hash = createHash("sha384")
      .update(await readFile(FIRMWARE))
      .digest("hex");
    const { stdout } = await run(["explain", "--observed", hash, ...claim(), "--effort", "0"]);
    expect(stdout).toContain("the SHA-384 of the firmware file, no launch digest");
  });

  it("reads the digest from a file, and from an attestation report", async () => {
    const observed = await reported(...files, ...APPEND, "--vcpus", "4", "--vcpu-sig", "0xa10f11");
    const text = join(folder, "measurement.txt");
    await writeFile(text, `${observed}\n`);
    expect((await solved(text, ...claim())).exit).toBe(1);
    const report = Buffer.alloc(0x4a0);
    report.writeUInt32LE(3, 0);
    report.writeUInt32LE(1, 0x34);
    report.set(Buffer.from(observed, "hex"), 0x90);
    report.set([25, 17, 1], 0x188);
    const path = join(folder, "report.bin");
    await writeFile(path, report);
    const { exit, solution } = await solved(path, ...files, ...APPEND, "--vcpus", "4");
    expect([exit, solution.match?.differences[0]?.found]).toEqual([
      0,
      "CPU signature 0xa10f11, the report's own",
    ]);
    report.writeUInt32LE(99, 0);
    await writeFile(path, report);
    expect((await run(["explain", "--observed", path, ...claim()])).exit).toBe(65);
  });

  it.each<[string, string[], number, string]>([
    ["a digest that lost its end", ["--observed", "ab".repeat(47)], 64, "94 hex digits"],
    ["no inputs", ["--observed", "ab".repeat(48)], 64, "--ovmf"],
    [
      "a digest of another platform",
      ["--observed", "ab".repeat(32), "--mode", "snp", "--ovmf", FIRMWARE],
      64,
      "32 bytes",
    ],
    ["a file beside it", ["a.fd", "--observed", "ab".repeat(48)], 64, "--observed"],
    ["a missing firmware", ["--observed", "ab".repeat(48), "--ovmf", "/nowhere"], 66, "no such file"],
    ["firmware that cannot launch", ["--observed", "ab".repeat(48), "--ovmf", "/dev/null"], 65, "firmware"],
    [
      "an unknown CPU",
      ["--observed", "ab".repeat(48), "--ovmf", FIRMWARE, "--vcpu-type", "EPYC-v99"],
      64,
      "EPYC-v99",
    ],
    [
      "a number of vCPUs that no guest has",
      ["--observed", "ab".repeat(48), "--ovmf", FIRMWARE, "--vcpus", "0"],
      64,
      "vCPUs",
    ],
    ["an effort without a digest", ["--effort", "3"], 64, "--observed"],
    [
      "a negative effort",
      ["--observed", "ab".repeat(48), "--ovmf", FIRMWARE, "--effort", "-1"],
      64,
      "--effort",
    ],
  ])("refuses %s", async (_name, argv, exit, said) => {
    const caught = await run(["explain", ...argv]);
    expect(caught.exit).toBe(exit);
    expect(caught.stderr).toContain(said);
  });
});
