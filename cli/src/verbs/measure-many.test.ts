import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const FIRMWARE = join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin");
const TWO_EPYC =
  "ae7e31b6e2220dcb2832b050464cf9fb5da4feed92be5cdd966435c2ee722f341410bb2438923ee696bd23460ff9c904";

interface Row {
  readonly shape: Readonly<Record<string, string | number>>;
  readonly registers: { readonly launchDigest: string };
}

async function measure(...argv: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  return await run(["measure", ...argv]);
}

describe("many shapes in one run", () => {
  it("gives each combination the digest that it has by itself, in JSON, CSV and as a table", async () => {
    const axes = ["--vcpus", "1..3", "--vcpu-type", "EPYC,EPYC-Milan", "--guest-features", "0x1,0x21"];
    const json = await measure("snp", "--ovmf", FIRMWARE, ...axes, "--json");
    const { rows } = JSON.parse(json.stdout) as { rows: Row[] };
    expect(rows).toHaveLength(12);
    for (const { shape, registers } of rows) {
      const alone = await measure(
        ...["snp", "--ovmf", FIRMWARE, "--vcpus", String(shape["vcpus"])],
        ...["--vcpu-type", String(shape["cpu"]), "--guest-features", String(shape["guestFeatures"])],
      );
      expect(alone.stdout).toContain(registers.launchDigest);
    }
    const digests = rows.map((row) => row.registers.launchDigest);
    const csv = await measure("snp", "--ovmf", FIRMWARE, ...axes, "--format", "csv");
    const lines = csv.stdout.trimEnd().split("\r\n");
    expect(lines[0]).toBe("profile,reading,vcpus,cpu,cpuSignature,guestFeatures,launchDigest");
    expect(lines.slice(1).map((line) => line.split(",").at(-1))).toEqual(digests);
    const table = await measure("snp", "--ovmf", FIRMWARE, ...axes);
    expect(
      table.stdout
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.split(/ +/).at(-1)),
    ).toEqual(digests);
  });

  it("measures by every profile at once, each with its own guest features", async () => {
    const { stdout } = await measure(
      ...["snp", "--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC,EPYC-Milan"],
      ...["--profile", "all", "--json"],
    );
    const { rows } = JSON.parse(stdout) as { rows: Row[] };
    const of = (profile: string): Row[] => rows.filter(({ shape }) => shape["profile"] === profile);
    expect(of("qemu-kvm-mainline").map(({ shape }) => shape["cpu"])).toEqual(["EPYC", "EPYC-Milan"]);
    expect(of("qemu-debug-swap")[0]?.shape["guestFeatures"]).toBe("0x21");
    expect(of("ec2-rdx600").map(({ shape }) => shape["cpuSignature"])).toEqual(["0x600"]);
    expect(of("gce-milan")[0]?.registers).not.toEqual(of("gce-genoa")[0]?.registers);
  });

  it("prints CSV also of one shape, so that a script's axes may have one value each", async () => {
    const shape = ["--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC-Milan"];
    const one = await measure("snp", ...shape, "--format", "csv");
    expect(one.stdout).toMatch(
      /^profile,.*launchDigest\r\nqemu-kvm-mainline,,2,EPYC-Milan,0xa00f11,0x1,[0-9a-f]{96}\r\n$/,
    );
    const json = await measure("snp", ...shape, "--format", "csv", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: "bootproof/measurement/1" });
    expect((await measure("snp", ...shape, "--format", "xml")).exit).toBe(64);
    for (const flags of [["--trace"], ["--dump-vmsa"], ["--output-format", "hex"]])
      expect(await measure("snp", ...shape, "--format", "csv", ...flags)).toMatchObject({
        exit: 64,
        stderr: expect.stringContaining(`${flags[0] ?? ""} is of one shape`) as string,
      });
  });

  it.each([
    ["a profile of another VMM", ["--profile", "qemu", "--vmm", "ec2"], "is one of qemu, not of ec2"],
    ["all profiles of a VMM that there is not", ["--profile", "all", "--vmm", "xen"], "BP-SNP-007"],
    ["a mode that only objects have", ["--mode", "constructor"], "--mode has a value that cannot be read"],
    ["a kernel whose variable was never set", ["--kernel", ""], "the path of a file"],
    ["bytes that no text holds", ["--kernel", FIRMWARE, "--append", "x\ufffd"], "--append-file"],
    ["an image that the VMM does not boot", ["--vmm", "libkrun"], "do not boot an OVMF image alone"],
    ["a variable store without a size", ["--svsm", FIRMWARE, "--vars-file", "/dev/zero"], "--vars-file"],
    [
      "a reference of more than OVMF",
      ["--svsm", FIRMWARE, "--vars-size", "4096", "--reference"],
      "with OVMF alone",
    ],
    ["a digest of another length", ["--firmware-digest", "00".repeat(47)], "96 hex digits or base64"],
    ["half a character", ["--kernel", FIRMWARE, "--append", "\ud800"], "--append-file"],
    ["an SVSM of SEV", ["--mode", "sev", "--svsm", FIRMWARE, "--vars-size", "4096"], "only SNP guests have"],
  ])("refuses %s instead of measuring another guest", async (_, given, message) => {
    const { exit, stdout, stderr } = await measure(
      ...["snp", "--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC", ...given],
    );
    expect({ exit, stdout }).toEqual({ exit: 64, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("says which VM type a SEV-ES digest is of when nobody chose", async () => {
    const unchosen = await measure("sev-es", "--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC");
    expect(unchosen.stderr).toContain("BP-SEV-102");
    const chosen = await measure(
      ...["sev-es", "--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC", "--profile", "es-legacy"],
    );
    expect(chosen).toMatchObject({ exit: 0, stdout: unchosen.stdout, stderr: "" });
  });
});

describe("a batch", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await scratchFolder();
  });

  it("answers each request in one line, in order, errors included", async () => {
    const requests = [
      JSON.stringify({ id: 7, ovmf: FIRMWARE, vcpus: 2, "vcpu-type": "EPYC" }),
      "",
      '{"vcpus":1,"vcpus":2}',
      JSON.stringify({ ovmf: FIRMWARE, vcpus: 2, vcpu_type: "EPYC-Nope" }),
      JSON.stringify({ ovmf: "/nope", vcpus: 2, vcpuType: "EPYC" }),
      JSON.stringify({ ovmf: FIRMWARE, platform: "sev" }),
      JSON.stringify({ ovmf: FIRMWARE, vcpus: "1..2", vcpuType: "EPYC" }),
      JSON.stringify({ surprise: true }),
      JSON.stringify({ ovmf: FIRMWARE, vcpus: 2, vcpuType: "EPYC", guestFeatures: true }),
      JSON.stringify({ ovmf: FIRMWARE, mode: "snp:ovmf-hash", vcpus: 2, vcpuType: "EPYC" }),
      "x".repeat(1 << 21),
    ];
    const file = join(folder, "requests");
    await writeFile(file, requests.join("\n"));
    const { exit, stdout } = await measure("snp", "--batch", file);
    expect(exit).toBe(2);
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const seen = answers.map(({ line, id, platform, error, rows }) => ({
      line,
      id,
      platform,
      code: (error as { code?: string } | undefined)?.code,
      rows: (rows as unknown[] | undefined)?.length,
    }));
    expect(seen).toEqual([
      { line: 1, id: 7, platform: "snp" },
      { line: 3, code: "BP-USAGE-004" },
      { line: 4, code: "BP-SNP-002" },
      { line: 5, code: "BP-FILE-001" },
      { line: 6, platform: "sev" },
      { line: 7, platform: "snp", rows: 2 },
      { line: 8, code: "BP-USAGE-004" },
      { line: 9, code: "BP-USAGE-004" },
      { line: 10 },
      { line: 11, code: "BP-USAGE-004" },
    ]);
    expect(answers[8]).toMatchObject({ firmwareDigest: expect.stringMatching(/^[0-9a-f]{96}$/) as string });
    expect(answers[0]?.["registers"]).toEqual({ launchDigest: TWO_EPYC });
  });

  it("ends with a file whose line never does", async () => {
    const { exit, stdout, stderr } = await measure("snp", "--batch", "/dev/zero");
    expect({ exit, stdout }).toEqual({ exit: 65, stdout: "" });
    expect(stderr).toContain("a line does not end");
  });

  it("writes its answers to --out, whole", async () => {
    const file = join(folder, "one");
    await writeFile(file, JSON.stringify({ ovmf: FIRMWARE, vcpus: 2, vcpuType: "EPYC" }));
    const out = join(folder, "answers");
    expect(await measure("snp", "--batch", file, "--out", out)).toMatchObject({ exit: 0, stdout: "" });
    expect(await readFile(out, "utf8")).toContain(TWO_EPYC);
  });
});

describe("what people bring along", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await scratchFolder();
  });

  it("takes sev-snp-measure's options and prints what it prints", async () => {
    const options = ["--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC", "--vmm-type", "QEMU"];
    expect((await measure("snp", "-v", "--mode", "snp", ...options)).stdout).toBe(`${TWO_EPYC}\n`);
    const base64 = await measure("snp", ...options, "--output-format", "base64");
    expect(base64.stdout).toBe(`${Buffer.from(TWO_EPYC, "hex").toString("base64")}\n`);
    const sev = await measure("snp", "--mode", "sev", "--ovmf", FIRMWARE);
    expect(sev.stdout).toMatch(/^8f765dfa[0-9a-f]{56}\n$/);
  });

  it("computes the firmware's digest alone, and takes it in place of the image's pages", async () => {
    const { stdout } = await measure("snp", "--mode", "snp:ovmf-hash", "--ovmf", FIRMWARE);
    const shape = ["--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC"];
    const again = await measure("snp", ...shape, "--snp-ovmf-hash", stdout.trim());
    expect(again).toMatchObject({ exit: 0, stderr: "", stdout: `launchDigest  ${TWO_EPYC}\n` });
    const other = await measure("snp", ...shape, "--firmware-digest", "ab".repeat(48));
    expect(other.stderr).toContain("BP-SNP-115");
  });

  it("writes the VMSA pages of an SVSM guest, the ones that are measured", async () => {
    const svsm = Buffer.from(await readFile(FIRMWARE));
    // The secret area's entry becomes SVSM info: the SVSM starts 0x100 bytes behind its base.
    svsm.writeUInt32LE(0x100, 0xf9e);
    svsm.set(Buffer.from("12a689a797054b4ca49fcbb1fe9d1ddd", "hex"), 0xfa8);
    const image = join(folder, "svsm.bin");
    await writeFile(image, svsm);
    const { stdout } = await measure(
      ...["snp", "--ovmf", FIRMWARE, "--svsm", image, "--vars-size", "4096", "--vcpus", "2"],
      ...["--vcpu-type", "EPYC", "--dump-vmsa", join(folder, "svsm"), "--trace", "--json"],
    );
    const { events } = JSON.parse(stdout) as { events: { type: string; digest: string }[] };
    const measured = events.filter(({ type }) => type === "VMSA").map(({ digest }) => digest);
    const written = await Promise.all(
      [0, 1].map(async (vcpu) =>
        createHash("sha384")
          .update(await readFile(join(folder, "svsm", `vmsa${vcpu}.bin`)))
          .digest("hex"),
      ),
    );
    expect(measured).toEqual(written);
  });

  it("writes VMSA pages where asked", async () => {
    const shape = ["--ovmf", FIRMWARE, "--vcpus", "3", "--vcpu-type", "EPYC"];
    await measure("snp", ...shape, "--dump-vmsa", folder);
    const pages = await Promise.all([0, 1, 2].map((n) => readFile(join(folder, `vmsa${n}.bin`))));
    expect(pages.map(({ length }) => length)).toEqual([4096, 4096, 4096]);
    expect(pages[1]).toEqual(pages[2]);
    expect(pages[0]).not.toEqual(pages[1]);
  });

  it("reads the guest from the QEMU command that starts it", async () => {
    const qemu =
      `qemu-system-x86_64 -machine q35,confidential-guest-support=sev0 -cpu EPYC -smp 2 -bios ${FIRMWARE} ` +
      "-object sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1";
    expect((await measure("snp", "--from-qemu", qemu)).stdout).toBe(`launchDigest  ${TWO_EPYC}\n`);
    const file = join(folder, "start.sh");
    await writeFile(file, `#!/bin/sh\nexec ${qemu}\n`);
    const overridden = await measure("snp", "--from-qemu", file, "--vcpus", "1");
    expect(overridden.stdout).toMatch(/^launchDigest {2}19358ba9/);
  });

  it("answers for no other platform than the one asked for", async () => {
    const qemu =
      `qemu-system-x86_64 -machine q35,confidential-guest-support=sev0 -cpu EPYC -smp 2 -bios ${FIRMWARE} ` +
      "-object sev-guest,id=sev0,policy=0x5";
    const { exit, stderr } = await measure("snp", "--from-qemu", qemu);
    expect(exit).toBe(64);
    expect(stderr).toContain("bootproof measure sev-es");
    expect((await measure("sev-es", "--from-qemu", qemu)).stdout).toMatch(/^launchDigest {2}60c38933/);
  });

  it("says what a definition lacks instead of guessing", async () => {
    const qemu =
      "qemu-system-x86_64 -machine q35,confidential-guest-support=sev0 -cpu host -smp 2 " +
      `-bios ${FIRMWARE} -object sev-snp-guest,id=sev0`;
    const { exit, stderr } = await measure("snp", "--from-qemu", qemu);
    expect(exit).toBe(2);
    expect(stderr).toContain("BP-MACHINE-006");
    expect(stderr).toContain("cpu");
    const given = await measure("snp", "--from-qemu", qemu, "--vcpu-sig", "0x800f12");
    expect(given.stdout).toBe(`launchDigest  ${TWO_EPYC}\n`);
  });
});

describe("a compact reference", () => {
  it("is below 1 KB for a platform", async () => {
    const { stdout } = await measure(
      ...["snp", "--ovmf", FIRMWARE, "--vcpus", "1", "--vcpu-type", "EPYC", "--reference", "--json"],
    );
    const reference = JSON.parse(stdout) as object;
    expect(JSON.stringify(reference).length).toBeLessThan(1000);
  });
});
