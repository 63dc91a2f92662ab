import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { imageBytes, putImage } from "../eif.testing.ts";
import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

interface Explained {
  readonly verdict?: string;
  readonly first?: { what: string; register?: string };
  readonly unseen?: readonly { subject: string }[];
  readonly error?: { code: string };
}

let folder: string;
let base: string;
beforeAll(async () => {
  folder = await scratchFolder();
  base = await putImage(folder, "ok-2rd.eif");
});

async function explain(a: string, b: string): Promise<{ exit: number; document: Explained }> {
  const { exit, stdout } = await run(["explain", a, b, "--json"]);
  return { exit, document: JSON.parse(stdout) as Explained };
}

describe("explain of enclave images", () => {
  it("names the byte of the command line that differs, and which PCRs saw it", async () => {
    const { exit, document } = await explain(base, await putImage(folder, "cmdline-newline.eif"));
    expect(exit).toBe(1);
    expect(document.first?.what).toBe("the command line differs: B is A with a trailing newline");
  });

  it("says of images that measure the same that they are cut elsewhere, which no PCR sees", async () => {
    const { exit, document } = await explain(base, await putImage(folder, "shift-kernel-cmdline.eif"));
    expect([exit, document.verdict]).toEqual([0, "same"]);
    expect(document.unseen?.map(({ subject }) => subject)).toContain("boundary");
  });

  it("lists the members of ramdisks that differ", async () => {
    const bytes = await imageBytes("ok-2rd.eif");
    for (const [name, at, size] of [
      ["kernel", 560, 3001],
      ["rd0", 3899, 364],
    ] as const)
      await writeFile(join(folder, name), bytes.subarray(at, at + size));
    const out = join(folder, "one.eif");
    const words = [
      "--kernel",
      join(folder, "kernel"),
      "--cmdline",
      "quiet",
      "--ramdisk",
      join(folder, "rd0"),
    ];
    await run(["eif", "build", ...words, "--ramdisk", join(folder, "rd0"), "--out", out]);
    const { stdout } = await run(["explain", base, out]);
    expect(stdout).toMatch(/the ramdisk 1 differs/);
    expect(stdout).toMatch(/only in A: /);
  });

  it("compares an image with a measurement of one", async () => {
    const measured = join(folder, "m.json");
    await run(["measure", "nitro", await putImage(folder, "signed-es384.eif"), "--json", "--out", measured]);
    const same = await explain(await putImage(folder, "signed-es384.eif"), measured);
    expect([same.exit, same.document.verdict]).toEqual([0, "same"]);
    const other = await explain(await putImage(folder, "signed-es256.eif"), measured);
    expect([other.exit, other.document.first?.register]).toEqual([1, "PCR8"]);
  });

  it("refuses an image that has two readings, by name", async () => {
    const { exit, document } = await explain(base, await putImage(folder, "hidden-section.eif"));
    expect([exit, document.error?.code]).toEqual([65, "BP-EIF-012"]);
  });
});

describe("coverage nitro", () => {
  it("says of each byte of a file which PCR sees it, its parts alike", async () => {
    const { stdout, exit } = await run(["coverage", "nitro", await putImage(folder, "signed-es384.eif")]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^eif +0x230\.\.0xde9 +PCR0, PCR1 /m);
    expect(stdout).toMatch(/^eif +0xe3a\.\.0xf3b +nobody /m);
    expect(stdout).toMatch(/^ramdisk 1 +0x10b3\.\.0x1327$/m);
    expect(stdout).toMatch(/^where one section ends and the next begins +nobody /m);
    const words = ["--kernel", join(folder, "kernel"), "--cmdline", "x", "--ramdisk", join(folder, "rd0")];
    const parts = await run(["coverage", "nitro", ...words, "--json"]);
    const { artifacts } = JSON.parse(parts.stdout) as {
      artifacts: { role: string; ranges: { seen: unknown[] }[] }[];
    };
    expect(artifacts.map(({ role }) => role)).toEqual(["kernel", "cmdline", "ramdisk 0"]);
    expect(artifacts.every(({ ranges }) => ranges.every(({ seen }) => seen.length === 2))).toBe(true);
  });

  it("refuses what an enclave does not have, and a file of another platform", async () => {
    expect((await run(["coverage", "nitro", base, "--vcpus", "2"])).exit).toBe(64);
    expect((await run(["coverage", "snp", base])).exit).toBe(64);
    expect((await run(["coverage", "snp", "--ramdisk", base])).exit).toBe(64);
    expect((await run(["coverage", "nitro"])).exit).toBe(64);
  });
});

describe("explain --observed of an enclave image", () => {
  const pcrsOf = async (name: string): Promise<string> => {
    const { stdout } = await run(["measure", "nitro", await putImage(folder, name), "--json"]);
    const { registers } = JSON.parse(stdout) as { registers: Record<string, string> };
    return ["PCR0", "PCR1", "PCR2"].map((register) => `${register}=${registers[register] ?? ""}`).join(",");
  };

  it("says yes to the image as it is, and names what gives other values, which is a no", async () => {
    const same = await run(["explain", "--observed", await pcrsOf("ok-2rd.eif"), base]);
    expect([same.exit, same.stdout.includes("the image as it is gives these values")]).toEqual([0, true]);
    const other = await run(["explain", "--observed", await pcrsOf("cmdline-newline.eif"), base]);
    expect(other.exit).toBe(1);
    expect(other.stdout).toMatch(/^PCR0 {2}OTHER +a newline after the command line/m);
    expect(other.stdout).toMatch(/^PCR2 {2}as given/m);
  });

  it("takes what nitro-cli printed, and says of what nothing gives that it could not decide", async () => {
    const printed = join(folder, "printed.json");
    const Measurements = { HashAlgorithm: "Sha384 { ... }", PCR0: "ab".repeat(48) };
    await writeFile(printed, JSON.stringify({ Measurements }));
    const { exit, stdout } = await run(["explain", "--observed", printed, base, "--json"]);
    expect([exit, (JSON.parse(stdout) as { verdict: string }).verdict]).toEqual([2, "none"]);
  });

  it("refuses a parent with which nothing is compared", async () => {
    expect((await run(["explain", base, base, "--instance-id", "i-0123456789abcdef0"])).exit).toBe(64);
  });

  it("never takes debug mode for a match or a difference", async () => {
    const zeros = ["PCR0", "PCR1", "PCR2"].map((name) => `${name}=${"0".repeat(96)}`).join(",");
    const { exit, stdout } = await run(["explain", "--observed", zeros, base]);
    expect(exit).toBe(2);
    expect(stdout).toContain("the enclave was in debug mode");
  });

  it("compares PCR3 and PCR4 with role and instance that are named, and says what is open", async () => {
    const words = ["--iam-role-arn", "arn:aws:iam::123456789012:role/Webserver"];
    const { stdout } = await run(["measure", "nitro", base, ...words, "--json"]);
    const { registers } = JSON.parse(stdout) as { registers: Record<string, string> };
    const observed = `PCR3=${registers["PCR3"] ?? ""}`;
    expect((await run(["explain", "--observed", observed, base, ...words])).exit).toBe(0);
    const open = await run(["explain", "--observed", `${observed},PCR4=${"ab".repeat(48)}`, base, ...words]);
    expect(open.stdout).toMatch(/^PCR4 {2}open +of an instance: give its ID$/m);
  });
});
