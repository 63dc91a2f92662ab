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
