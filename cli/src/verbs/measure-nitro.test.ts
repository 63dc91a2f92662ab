import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { parseLaunchDocument } from "@bootproof/measure";
import { TRACE_RULES } from "@bootproof/measure/explain";
import { beforeAll, describe, expect, it } from "vitest";

import { imageBytes, keyFile, putImage } from "../eif.testing.ts";
import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

// Printed by AWS's own reader of ok-2rd.eif and signed-es384.eif.
const PCR0 =
  "b7eee595ee083386a45578120e146acf6ed7b5a3fdf6ea30f085d93aa3c7c624063b88863f4071a032df2d0d77ace892";
const PCR1 =
  "32670e70749410df0026e04c9e53e56020f3913ecb5032462b1a98ee2c7d16efdc0dfbad54438f7a21c475a9dfb60d12";
const PCR2 =
  "8f2b86b250cc9fddb82ae8992244543bc5f67fb9829792890251c46ef0ffd1b470dbdb9e89eafedcfffcefb809897378";
const PCR8 =
  "5acc979c48b72209157f00d24613f0e0470db4d00be58324f35f6fc77c045fdf99b20f2273d0f5428e800f5c17a4b487";
// AWS's documentation of PCR3, and the instance of a genuine attestation document.
const ROLE = "arn:aws:iam::123456789012:role/Webserver";
const PCR3 =
  "78fce75db17cd4e0a3fb8dad3ad128ca5e77edbb2b2c7f75329dccd99aa5f6ef4fc1f1a452e315b9e98f9e312e6921e6";
const INSTANCE = "i-0918f6c55e3b61d89";

interface Document {
  readonly registers: Record<string, string>;
  readonly unknown: string[];
  readonly sections: { type: string; size: number; sha384: string }[];
  readonly expected?: { answer: string };
  readonly error?: { code: string; hint?: string };
}

describe("measure nitro", () => {
  let folder: string;
  let file: string;
  let parts: string[];
  beforeAll(async () => {
    folder = await scratchFolder();
    file = await putImage(folder, "ok-2rd.eif");
    const bytes = await imageBytes("ok-2rd.eif");
    const stretches = {
      kernel: [560, 3001],
      cmdline: [3573, 69],
      rd0: [3899, 364],
      rd1: [4275, 628],
    } as const;
    for (const [name, [at, size]] of Object.entries(stretches))
      await writeFile(join(folder, name), bytes.subarray(at, at + size));
    const path = (name: string): string => join(folder, name);
    parts = ["--kernel", path("kernel"), "--cmdline-file", path("cmdline")];
    parts.push("--ramdisk", path("rd0"), "--ramdisk", path("rd1"));
  });

  async function ask(...words: string[]): Promise<{ exit: number; document: Document }> {
    const { exit, stdout } = await run(["measure", "nitro", ...words, "--json"]);
    return { exit, document: JSON.parse(stdout) as Document };
  }

  it("gives the PCRs of AWS's reader, says which are unknown, and that PCR8 of an unsigned image is zero", async () => {
    const { exit, document } = await ask(file);
    expect(exit).toBe(0);
    expect(document.registers).toEqual({ PCR0, PCR1, PCR2, PCR8: "0".repeat(96) });
    expect(document.unknown).toEqual(["PCR3", "PCR4"]);
    expect(document.sections.map(({ type, size }) => [type, size])).toEqual([
      ["kernel", 3001],
      ["cmdline", 69],
      ["metadata", 233],
      ["ramdisk", 364],
      ["ramdisk", 628],
    ]);
    const { stdout } = await run(["measure", "nitro", file]);
    expect(stdout).toMatch(/^PCR3 {2}unknown: /m);
    expect(stdout).toMatch(/^PCR8 {2}0{96} {2}not signed$/m);
  });

  it("prints the same for the parts as for the file, a typed command line included", async () => {
    const whole = await run(["measure", "nitro", file]);
    expect((await run(["measure", "nitro", ...parts])).stdout).toBe(whole.stdout);
    const text = await readFile(join(folder, "cmdline"), "utf8");
    const typed = [...parts.slice(0, 2), "--cmdline", text, ...parts.slice(4)];
    expect((await run(["measure", "nitro", ...typed])).stdout).toBe(whole.stdout);
    const other = [...parts.slice(0, 2), "--cmdline", `${text}\n`, ...parts.slice(4)];
    expect((await ask(...other)).document.registers["PCR2"]).toBe(PCR2);
    expect((await ask(...other)).document.registers["PCR0"]).not.toBe(PCR0);
  });

  it("gives PCR8 from the file's certificate, and from one that will sign", async () => {
    const signed = await putImage(folder, "signed-es384.eif");
    expect((await ask(signed)).document.registers["PCR8"]).toBe(PCR8);
    const will = await ask(...parts, "--certificate", keyFile("es384.pem"));
    expect(will.document.registers["PCR8"]).toBe(PCR8);
    expect((await ask(signed, "--certificate", keyFile("es384.pem"))).exit).toBe(64);
  });

  it("gives PCR3 and PCR4 of a parent that is named, and warns of what is no role", async () => {
    const { document } = await ask(file, "--iam-role-arn", ROLE, "--instance-id", INSTANCE);
    expect(document.registers["PCR3"]).toBe(PCR3);
    expect(document.registers["PCR4"]).toMatch(/^d0531b1400dd4328/);
    expect(document.unknown).toEqual([]);
    const odd = await run(["measure", "nitro", file, "--iam-role-arn", "Webserver"]);
    expect(odd.stderr).toContain("BP-NITRO-102");
    expect((await ask(file, "--iam-role-arn", "")).document.error?.code).toBe("BP-NITRO-001");
  });

  it("traces what each PCR is extended with, in a document that replays to the registers", async () => {
    const { stdout } = await run(["measure", "nitro", file, "--instance-id", INSTANCE, "--trace", "--json"]);
    const { events, registers } = parseLaunchDocument(Buffer.from(stdout), TRACE_RULES);
    expect(events?.map(({ register }) => register)).toEqual(["PCR0", "PCR1", "PCR2", "PCR4"]);
    expect(registers["PCR0"]).toBe(PCR0);
    expect((await run(["measure", "nitro", file, "--trace"])).stdout).toContain(
      "kernel, cmdline, ramdisk 0\n",
    );
  });

  it("compares with what nitro-cli printed, and says what is left open", async () => {
    const expected = join(folder, "expected.json");
    const measurements = { HashAlgorithm: "Sha384 { ... }", PCR0, PCR1, PCR2 };
    await writeFile(expected, JSON.stringify({ Measurements: measurements }));
    const same = await ask(file, "--expect", expected);
    expect([same.exit, same.document.expected?.answer]).toEqual([0, "yes"]);
    await writeFile(expected, JSON.stringify({ Measurements: { ...measurements, PCR2: PCR1 } }));
    const other = await run(["measure", "nitro", file, "--expect", expected]);
    expect(other.exit).toBe(1);
    expect(other.stdout).toContain(`PCR2  DIFFERS: expected ${PCR1}\n`);
    expect((await ask(file, "--expect", `PCR3=${PCR3}`)).exit).toBe(2);
    expect((await run(["measure", "nitro", file, "--expect", `PCR0=${PCR0}`])).stdout).toContain(
      "nothing is expected of PCR1, PCR2\n",
    );
    expect((await ask(file, "--expect", `PCR0=${"0".repeat(96)}`)).document.error?.code).toBe("BP-NITRO-004");
  });

  it.each([
    ["hidden-section", "BP-EIF-012"],
    ["hidden-section-both-crc", "BP-EIF-012"],
    ["gap-hidden-ramdisk", "BP-EIF-011"],
    ["trailing-bytes", "BP-EIF-012"],
    ["order-ramdisk-before-kernel", "BP-EIF-021"],
    ["two-kernels", "BP-EIF-019"],
    ["version-5", "BP-EIF-003"],
    ["huge-section-size", "BP-EIF-009"],
    ["truncated", "BP-EIF-008"],
    ["bad-crc-body", "BP-NITRO-005"],
    ["empty", "BP-EIF-002"],
  ])("refuses %s by name, with the way to see it", async (name, code) => {
    const { exit, document } = await ask(await putImage(folder, `${name}.eif`));
    expect([exit, document.error?.code]).toEqual([65, code]);
    expect(document.error?.hint).toMatch(/inspect .* shows everything in it$/);
  });

  it("names the header flags of which nobody knows how they are measured", async () => {
    const path = await putImage(folder, "ok-2rd.eif", (bytes) => {
      bytes.writeUInt16BE(0x240, 6);
      return bytes;
    });
    const { stderr, exit } = await run(["measure", "nitro", path]);
    expect(exit).toBe(65);
    expect(stderr).toContain("header flags PCIE, PCIE_VIRTIO");
    file = await putImage(folder, "ok-2rd.eif");
  });

  it.each([
    ["nothing", []],
    ["a file and a kernel", ["FILE", "--kernel", "x"]],
    ["no kernel", ["--cmdline", "x", "--ramdisk", "y"]],
    ["no ramdisk", ["--kernel", "x", "--cmdline", "x"]],
    ["no command line", ["--kernel", "x", "--ramdisk", "y"]],
    ["two command lines", ["--kernel", "x", "--ramdisk", "y", "--cmdline", "x", "--cmdline-file", "x"]],
    [
      "a processor that there is none of",
      ["--kernel", "x", "--ramdisk", "y", "--cmdline", "x", "--arch", "arm"],
    ],
    ["an empty path", ["--kernel", "", "--ramdisk", "y", "--cmdline", "x"]],
    ["two values of one PCR", ["FILE", "--expect", `PCR0=${PCR0}`, "--expect", `PCR0=${PCR1}`]],
  ])("refuses %s as a mistake of the command line", async (_name, words) => {
    const { exit } = await ask(...words.map((word) => (word === "FILE" ? file : word)));
    expect(exit).toBe(64);
  });
});
