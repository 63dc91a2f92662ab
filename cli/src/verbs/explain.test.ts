import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatFirmwareReference, measureFirmware } from "@bootproof/measure/snp";
import { beforeAll, describe, expect, it } from "vitest";

import { type Caught, run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const FIRMWARE = join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin");

interface Explained {
  readonly verdict: string;
  readonly first?: { readonly subject: string; readonly what: string; readonly details: string[] };
  readonly others: { readonly subject: string }[];
  readonly unseen: { readonly subject: string }[];
}

describe("explain A B", () => {
  let folder: string;
  let image: Buffer;
  beforeAll(async () => {
    folder = await scratchFolder();
    image = await readFile(FIRMWARE);
    await writeFile(join(folder, "kernel"), "a kernel");
    await writeFile(join(folder, "other-kernel"), "A kernel");
    await writeFile(join(folder, "initrd"), "an initrd");
    await writeFile(join(folder, "cmdline"), "console=ttyS0");
    await writeFile(join(folder, "cmdline-newline"), "console=ttyS0\n");
  });

  async function file(name: string, edit: (image: Buffer) => void): Promise<string> {
    const copy = Buffer.from(image);
    edit(copy);
    await writeFile(join(folder, name), copy);
    return join(folder, name);
  }

  async function measured(name: string, ...options: string[]): Promise<string> {
    const path = join(folder, name);
    const firmware = options.includes("--ovmf") ? [] : ["--ovmf", FIRMWARE];
    const shape = [
      ...(options.includes("--vcpus") ? [] : ["--vcpus", "2"]),
      ...(options.includes("--vcpu-type") ? [] : ["--vcpu-type", "EPYC-v4"]),
    ];
    const argv = ["measure", "snp", ...firmware, ...shape, ...options, "--json", "--quiet", "--out", path];
    const { exit, stderr } = await run(argv);
    expect(exit, stderr).toBe(0);
    return path;
  }

  const boot = (kernel: string, cmdline: string): string[] => [
    ...["--kernel", join(folder, kernel), "--initrd", join(folder, "initrd")],
    ...["--append-file", join(folder, cmdline)],
  ];

  async function explained(a: string, b: string, ...options: string[]): Promise<Explained & Caught> {
    const caught = await run(["explain", a, b, "--json", ...options]);
    return { ...caught, ...(JSON.parse(caught.stdout) as Explained) };
  }

  it("says first whether they agree, then what differs, then the digests", async () => {
    const { exit, stdout } = await run([
      "explain",
      FIRMWARE,
      await file("code.fd", (it) => (it[0xbb0]! ^= 1)),
    ]);
    expect(exit).toBe(1);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("A and B measure differently");
    expect(lines[4]).toBe("first difference: 1 byte of firmware image differs");
    expect(stdout).toMatch(/file offset 0xbb0, guest address 0xfffffbb0/);
    expect(stdout).toMatch(/^next: bootproof inspect firmware FILE shows/m);
    expect(stdout).toMatch(/^ {2}A {2}[0-9a-f]{96}\n {2}B {2}[0-9a-f]{96}$/m);
  });

  it("ends with 0 where nothing measured differs", async () => {
    const { exit, verdict, first } = await explained(FIRMWARE, await file("same.fd", () => undefined));
    expect([exit, verdict, first]).toEqual([0, "same", undefined]);
  });

  it("gives both images the shape and the direct boot of the options", async () => {
    const other = await file("reset-vector.fd", (it) => (it[0xff8]! ^= 1));
    const options = ["--vcpus", "4", "--vcpu-type", "EPYC-Milan", ...boot("kernel", "cmdline")];
    const { exit, first, stdout } = await explained(FIRMWARE, other, ...options);
    expect([exit, first?.what]).toEqual([1, "1 byte of reset vector differs"]);
    expect(stdout).toContain('"name": "launchDigest"');
  });

  it.each([
    ["vCPUs", ["--vcpus", "3"], "vcpus"],
    ["CPU models", ["--vcpu-type", "EPYC-Genoa"], "cpu"],
    ["guest features", ["--guest-features", "0x21"], "guestFeatures"],
  ])("names other %s in measurements", async (_name, options, subject) => {
    const [a, b] = [await measured("a.json"), await measured("b.json", ...options)];
    const { exit, first, others } = await explained(a, b);
    expect([exit, first?.subject, others]).toEqual([1, subject, []]);
  });

  it("finds the files of measurements again, to name bytes and typical causes", async () => {
    const a = await measured("boot-a.json", ...boot("kernel", "cmdline"));
    const kernel = await explained(a, await measured("boot-b.json", ...boot("other-kernel", "cmdline")));
    expect(kernel.first?.what).toBe("the kernel differs");
    expect(kernel.first?.details[0]).toMatch(/^first differing byte: offset 0x0, 0x61 and 0x41/);
    const newline = await explained(a, await measured("boot-c.json", ...boot("kernel", "cmdline-newline")));
    expect(newline.first?.what).toBe("the command line differs: B is A with a trailing newline");
  });

  it("knows a command line that was typed, and what a file of it has more", async () => {
    const typed = [...boot("kernel", "cmdline").slice(0, -2), "--append", "console=ttyS0"];
    const a = await measured("typed.json", ...typed);
    const same = await explained(a, await measured("boot-a.json", ...boot("kernel", "cmdline")));
    expect(same.exit).toBe(0);
    const newline = await explained(a, await measured("boot-c.json", ...boot("kernel", "cmdline-newline")));
    expect(newline.first?.what).toBe("the command line differs: B is A with a trailing newline");
  });

  it("compares an image with the firmware reference of it", async () => {
    const reference = join(folder, "reference.json");
    const made = formatFirmwareReference(measureFirmware(image).reference);
    await writeFile(reference, made);
    expect(await explained(FIRMWARE, reference)).toMatchObject({ exit: 0, verdict: "same" });
    const a = await measured("reference-measured.json", "--ovmf", reference, "--vcpus", "3", "--trace");
    expect((await explained(a, await measured("a.json"))).first?.subject).toBe("vcpus");
    expect(await explained(a, FIRMWARE)).toMatchObject({ exit: 0, verdict: "same" });
  });

  it("compares compact references, and no reference with a measurement", async () => {
    const made = async (name: string, kernel: string): Promise<string> => {
      const shape = ["--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC", ...boot(kernel, "cmdline")];
      const { exit, stdout, stderr } = await run(["measure", "snp", ...shape, "--reference"]);
      expect(exit, stderr).toBe(0);
      await writeFile(join(folder, name), stdout);
      return join(folder, name);
    };
    const a = await made("compact-a.json", "kernel");
    expect((await explained(a, await made("compact-b.json", "other-kernel"))).first?.subject).toBe("kernel");
    expect(await explained(a, a)).toMatchObject({ exit: 0, verdict: "same" });
    const { exit, stderr } = await run(["explain", a, await measured("a.json")]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("BP-EXPLAIN-003") as string]);
  });

  it("compares SEV-ES measurements", async () => {
    const path = async (name: string, vcpus: string): Promise<string> => {
      const words = ["--ovmf", FIRMWARE, "--vcpus", vcpus, "--vcpu-type", "EPYC", "--json", "--quiet"];
      expect((await run(["measure", "sev-es", ...words, "--out", join(folder, name)])).exit).toBe(0);
      return join(folder, name);
    };
    const { first, others } = await explained(await path("es-a.json", "2"), await path("es-b.json", "3"));
    expect([first?.subject, others]).toEqual(["vcpus", []]);
  });

  it("compares IGVM files, header by header", async () => {
    const [a, b] = ["igvm-01-basic", "igvm-03-unmeasured"].map((name) =>
      join(ROOT, "measure/vectors/igvm", `${name}.igvm`),
    );
    const { exit, first } = await explained(a!, b!);
    expect([exit, first?.subject]).toEqual([1, "igvm"]);
    expect(await explained(a!, a!)).toMatchObject({ exit: 0, verdict: "same" });
  });

  it("compares measurements whose files are gone", async () => {
    const gone = await file("gone.fd", (it) => (it[0xbb0]! ^= 1));
    const b = await measured("gone.json", "--ovmf", gone);
    await rm(gone);
    const { exit, first } = await explained(await measured("a.json"), b);
    expect([exit, first?.what]).toEqual([1, "the firmware differs"]);
  });

  it("opens no file whose size and hash are not those of the measurement", async () => {
    const document = JSON.parse(await readFile(await measured("a.json"), "utf8")) as {
      inputs: { path: string }[];
    };
    document.inputs[0]!.path = "/dev/zero";
    const hostile = join(folder, "hostile.json");
    await writeFile(hostile, JSON.stringify(document));
    expect((await explained(await measured("a.json"), hostile)).exit).toBe(0);
  });

  it("compares an image with a measurement, in the measurement's shape", async () => {
    const a = await measured("a.json", "--vcpus", "7");
    expect(await explained(a, FIRMWARE)).toMatchObject({ exit: 0, verdict: "same" });
    const other = await file("code.fd", (it) => (it[0xbb0]! ^= 1));
    expect((await explained(other, a)).first?.subject).toBe("firmware");
  });

  it("compares traces, and refuses one that does not replay to its registers", async () => {
    const a = await measured("trace-a.json", "--trace");
    const b = await measured("trace-b.json", "--trace", "--vcpu-type", "EPYC-Rome");
    expect((await explained(a, b)).first?.subject).toBe("cpu");
    const broken = join(folder, "broken.json");
    await writeFile(broken, (await readFile(b, "utf8")).replace("0xfffff000", "0xffffe000"));
    const { exit, stderr } = await run(["explain", a, broken]);
    expect(exit).toBe(65);
    expect(stderr).toContain("broken.json");
    expect(stderr).toContain("replayed from the document's own events");
  });

  it("says which image cannot launch, and still what differs", async () => {
    const moved = await file("unlaunchable.fd", (it) => it.fill(0, 0xfbc - 4, 0xfbc));
    const { exit, stdout } = await run(["explain", FIRMWARE, moved]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^B cannot be launched: .*AP reset address/m);
    expect(stdout).toMatch(/^first difference: the AP reset address differs$/m);
  });

  it("compares an image with one whose table is damaged", async () => {
    const damaged = await file("footer.fd", (it) => (it[0xfd0]! ^= 1));
    const { exit, stdout } = await run(["explain", FIRMWARE, damaged]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^B cannot be launched: cannot read GUIDed table footer/m);
    expect(stdout).toMatch(/^first difference: 1 byte of GUIDed table footer differs$/m);
    const version = await file("version.fd", (it) => (it[0xab4]! ^= 2));
    expect((await run(["explain", FIRMWARE, version])).stdout).toMatch(
      /1 byte of SEV metadata version differs/,
    );
  });

  it.each([
    ["a file of no known kind", () => ["/dev/null", FIRMWARE], 65, "BP-EXPLAIN-001"],
    ["a missing file", () => ["/nope", FIRMWARE], 66, "BP-FILE-001"],
    ["one file alone", () => [FIRMWARE], 64, "BP-USAGE-002"],
    [
      "several shapes",
      () => [FIRMWARE, FIRMWARE, "--vcpus", "1..4", "--vcpu-type", "EPYC"],
      64,
      "BP-USAGE-002",
    ],
    ["a kernel without a shape", () => [FIRMWARE, FIRMWARE, "--kernel", FIRMWARE], 64, "BP-USAGE-002"],
    ["a third image", () => [FIRMWARE, FIRMWARE, "--ovmf", FIRMWARE], 64, "BP-USAGE-002"],
    [
      "an impossible shape",
      () => [FIRMWARE, FIRMWARE, "--vcpus", "0", "--vcpu-type", "EPYC"],
      64,
      "BP-SNP-001",
    ],
  ])("refuses %s", async (_name, words, exit, code) => {
    const caught = await run(["explain", ...words(), "--json"]);
    expect(caught.exit).toBe(exit);
    expect((JSON.parse(caught.stdout) as { error: { code: string } }).error.code).toBe(code);
  });

  it("cannot decide for an image whose measurement had a kernel that is gone", async () => {
    const kernel = join(folder, "gone-kernel");
    await writeFile(kernel, "gone");
    const a = await measured("gone-kernel.json", "--kernel", kernel);
    await rm(kernel);
    const { exit, stderr } = await run(["explain", a, FIRMWARE]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("BP-EXPLAIN-002") as string]);
  });

  it("still explains codes", async () => {
    const { exit, stdout } = await run(["explain", "bp-snp-001"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^BP-SNP-001: /);
    expect((await run(["explain", "BP-NOPE-001"])).exit).toBe(64);
  });
});
