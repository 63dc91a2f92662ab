/**
 * Enclave images of ours, booted: QEMU has the machine and the security module of an enclave, and the PCRs that the
 * guest reads there are compared with what `measure nitro` said before the boot. QEMU, the vsock device, the kernel and
 * the init are built by recipes of ours, on an empty store in some twenty minutes.
 *
 *     vitest run --config test/conformance/vitest.config.ts nitro-boot
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import { planEif, readEif } from "@bootproof/boot/eif";
import { concatBytes, utf8 } from "@bootproof/bytes";
import { writeCpio } from "@bootproof/boot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootproof, bootproofJson, ROOT } from "../e2e/command.ts";
import { EXPECTED_FILES, EXPECTED_PROCESS, writeImage } from "./nitro/image.ts";
import { bootEnclave, findLeftovers, PARENT, type Parent } from "./nitro/machine.ts";
import { MARKERS, parseReport, type Report } from "./nitro/report.ts";
import { CACHE, prepareTools, type NitroTools } from "./nitro/tools.ts";

const HOUR = 60 * 60_000;
const ZERO = "00".repeat(48);
const PCRS = 32;
const LOCKED = 16;
/** nitro-cli's own, and who answers our init in QEMU: this process. */
const STOCK =
  "reboot=k panic=30 pci=off nomodules console=ttyS0 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd random.trust_cpu=on";
const CMDLINE = `${STOCK} bootproof.heartbeat_cid=2`;
const ENDED = /^bootproof: the enclave ends\n/m;

let folder = "";
let tools: NitroTools;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-nitro-"));
  tools = await prepareTools();
}, 2 * HOUR);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ofFolder = (name: string): string => path.join(folder, name);

/** Writes an image with `bootproof eif build`; returns its path. */
async function buildEif(name: string, ...args: string[]): Promise<string> {
  const eif = ofFolder(`${name}.eif`);
  const built = await bootproof(["eif", "build", "--kernel", tools.kernel, ...args, "--out", eif]);
  if (built.exitCode !== 0) throw new Error(`${name} was not built: ${built.stderr}`);
  return eif;
}

const ramdisks = (...files: string[]): string[] => files.flatMap((file) => ["--ramdisk", file]);

type Registers = Readonly<Record<string, string>>;

/** What an image will report, by the command; printed and kept before the boot, so that nothing can be fitted to it. */
async function predict(name: string, eif: string): Promise<Registers> {
  const identity = ["--iam-role-arn", PARENT.role, "--instance-id", PARENT.instance];
  const { registers } = await bootproofJson<{ registers: Registers }>(
    ["measure", "nitro", eif, ...identity],
    0,
  );
  const kept = path.join(CACHE, "predictions");
  await mkdir(kept, { recursive: true });
  await writeFile(path.join(kept, `${name}.json`), `${JSON.stringify(registers, null, 2)}\n`);
  console.log([`predicted of ${name}:`, ...Object.entries(registers).map((pcr) => pcr.join(" "))].join("\n"));
  return registers;
}

/** Boots an image with a report in it, and holds every PCR that the guest reads to the prediction. */
async function bootAsPredicted(name: string, eif: string, parent: Parent = "here"): Promise<Report> {
  const registers = await predict(name, eif);
  const { console: said, heartbeats } = await bootEnclave(tools, eif, parent, MARKERS.reportEnd);
  const report = parseReport(said);
  expectPcrs(report, registers);
  if (parent === "here") expect(heartbeats).toEqual([0xb7]);
  return report;
}

function expectPcrs(report: Report, registers: Registers): void {
  const expected = Array.from({ length: PCRS }, (_, index) => registers[`PCR${index}`] ?? ZERO);
  expect(report.pcrs).toEqual(expected);
  expect(report.locked).toEqual(Array.from({ length: LOCKED }, (_, index) => index));
  expect([...report.attested]).toEqual(expected.slice(0, LOCKED).map((pcr, index) => [index, pcr]));
  expect(report.module).toBe(PARENT.module);
}

const signedBy = (curve: string): string[] => [
  ...["--certificate", path.join(ROOT, `boot/vectors/eif/${curve}.pem`)],
  ...["--signing-key", path.join(ROOT, `boot/vectors/eif/${curve}.TEST-ONLY.key`)],
];

describe("an enclave image of ours in QEMU", () => {
  it("with one ramdisk, unsigned: reports what was predicted, and PCR0 is PCR1", async () => {
    const parts = await Promise.all([tools.init, tools.application].map((file) => readFile(file)));
    await writeFile(ofFolder("whole.cpio"), concatBytes(...parts));
    const eif = await buildEif("one-ramdisk", "--cmdline", CMDLINE, ...ramdisks(ofFolder("whole.cpio")));
    const { pcrs } = await bootAsPredicted("one-ramdisk", eif);
    expect(pcrs[0]).toBe(pcrs[1]);
  });

  it("with two ramdisks, unsigned: reports what was predicted, and PCR8 is zero", async () => {
    const eif = await buildEif(
      "two-ramdisks",
      "--cmdline",
      CMDLINE,
      ...ramdisks(tools.init, tools.application),
    );
    const { pcrs, commandLine, variables } = await bootAsPredicted("two-ramdisks", eif);
    expect(new Set(pcrs.slice(0, 5)).size).toBe(5);
    expect(pcrs[8]).toBe(ZERO);
    expect(commandLine).toContain(CMDLINE);
    expect(variables).toContain("PLACE=ramdisk");
    expect(variables.some((variable) => variable.startsWith("nomodules"))).toBe(false);
  });

  it("with three ramdisks, one file from each: reports what was predicted", async () => {
    const extra = writeCpio([{ name: "rootfs/extra", mode: 0o100644, data: utf8("third") }], { mtime: 0 });
    await writeFile(ofFolder("extra.cpio"), extra);
    const files = [tools.init, tools.application, ofFolder("extra.cpio")];
    const eif = await buildEif("three-ramdisks", "--cmdline", CMDLINE, ...ramdisks(...files));
    const { files: seen } = await bootAsPredicted("three-ramdisks", eif);
    expect(seen.get("/extra")).toMatchObject({ content: Buffer.from("third").toString("hex") });
  });

  it.each(["es256", "es384", "es512"])("signed with %s: reports the certificate in PCR8", async (curve) => {
    const args = ["--cmdline", CMDLINE, ...ramdisks(tools.init, tools.application), ...signedBy(curve)];
    const eif = await buildEif(curve, ...args);
    const { pcrs } = await bootAsPredicted(curve, eif);
    expect(pcrs[8]).not.toBe(ZERO);
  });

  it("from a container image: files, links, modes, owner and process are what the image says", async () => {
    const digest = await writeImage(ofFolder("image"), await readFile(tools.report));
    const image = ["--image", ofFolder("image"), "--digest", digest];
    const eif = await buildEif("image", "--cmdline", CMDLINE, ...ramdisks(tools.init), ...image);
    const report = await bootAsPredicted("image", eif);
    for (const [name, file] of Object.entries(EXPECTED_FILES))
      if (file === "absent") expect(report.files.get(name), name).toBe("absent");
      else expect(report.files.get(name), name).toMatchObject(file);
    const inode = (name: string): unknown => (report.files.get(name) as { inode?: string }).inode;
    expect(new Set(["/data/first", "/data/second", "/data/third"].map(inode)).size).toBe(1);
    expect(report.user).toBe(EXPECTED_PROCESS.user);
    expect(report.folder).toBe(EXPECTED_PROCESS.folder);
    expect(report.variables).toEqual(expect.arrayContaining([...EXPECTED_PROCESS.variables]));
    expect(report.args).toEqual(["/report", ...Object.keys(EXPECTED_FILES)]);
  });

  it("built by a recipe: reports what was predicted", async () => {
    const recipe = "test/recipes/enclave-report.recipe.yaml";
    const built = await bootproof(["build", recipe, "--out", ofFolder("recipe")]);
    expect(built.exitCode, built.stderr).toBe(0);
    await bootAsPredicted("recipe", ofFolder("recipe/report.eif"));
  });

  it("of the sample recipe: its application runs, and finds the security module", async () => {
    const recipe = "boot/recipes/hello-enclave.recipe.yaml";
    const built = await bootproof(["build", recipe, "--out", ofFolder("sample")]);
    expect(built.exitCode, built.stderr).toBe(0);
    const { console: said } = await bootEnclave(
      tools,
      ofFolder("sample/hello-enclave.eif"),
      "beside",
      /^hello-enclave: done\n/m,
    );
    expect(said).toMatch(/^hello-enclave: hello from Linux 6\.12\.\d+-bootproof$/m);
    expect(said).toContain("hello-enclave: /dev/nsm is there\n");
  });

  it("with a parent beside it at number 3, as on the real machine: starts without a word of ours", async () => {
    const eif = await buildEif("parent", "--cmdline", STOCK, ...ramdisks(tools.init, tools.application));
    const registers = await predict("parent", eif);
    const { console: said } = await bootEnclave(tools, eif, "beside", MARKERS.reportEnd);
    expect(said).toContain("bootproof: heartbeat: answered by cid 3\n");
    expectPcrs(parseReport(said), registers);
  });
});

describe("the boundary between kernel and command line", () => {
  it("moves without any PCR: the guest boots without its command line and reports the same", async () => {
    const eif = await buildEif("shifted", "--cmdline", STOCK, ...ramdisks(tools.init, tools.application));
    const registers = await predict("shifted", eif);
    const twin = ofFolder("twin.eif");
    await writeFile(twin, shiftToCommandLine(await sectionsOf(eif)));
    // The command names it: a prediction of such a file is no description of it.
    const judged = await bootproof(["measure", "nitro", twin]);
    expect(judged.stdout + judged.stderr).toMatch(/BP-EIF-\d{3}/);
    const { console: said } = await bootEnclave(tools, twin, "beside", MARKERS.reportEnd);
    const report = parseReport(said);
    expectPcrs(report, registers);
    expect(report.commandLine).not.toContain("nomodules");
  });
});

interface Part {
  readonly type: "kernel" | "cmdline" | "ramdisk" | "signature" | "metadata";
  readonly bytes: Uint8Array;
}

async function sectionsOf(eif: string): Promise<Part[]> {
  const file = await readFile(eif);
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    Promise.resolve(file.subarray(offset, offset + length));
  const { table } = await readEif({ name: eif, size: file.length, read });
  return table.map(({ type, offset, size }) => ({
    type: type!,
    bytes: file.subarray(offset, offset + size),
  }));
}

/** Moves the kernel's end, from its last zero byte on, to the start of the command line, which then ends at once. */
function shiftToCommandLine(parts: readonly Part[]): Uint8Array {
  const [kernel, cmdline] = ["kernel", "cmdline"].map(
    (type) => parts.find((part) => part.type === type)!.bytes,
  );
  const cut = kernel!.lastIndexOf(0);
  const shifted = parts.map(({ type, bytes }) => {
    if (type === "kernel") return { type, bytes: kernel!.subarray(0, cut) };
    if (type === "cmdline") return { type, bytes: concatBytes(kernel!.subarray(cut), cmdline!) };
    return { type, bytes };
  });
  const plan = planEif({
    architecture: "x86_64",
    sections: shifted.map(({ type, bytes }) => ({ type, size: bytes.length })),
  });
  const body = concatBytes(...plan.sections.flatMap(({ header, index }) => [header, shifted[index]!.bytes]));
  const file = concatBytes(plan.header, body);
  const crc = crc32(body, crc32(plan.header.subarray(0, plan.crcOffset)));
  new DataView(file.buffer).setUint32(plan.crcOffset, crc);
  return file;
}

describe("our init", () => {
  const bootUntilEnd = async (
    name: string,
    parent: Parent,
    cmdline: string,
    ...args: string[]
  ): Promise<string> => {
    const eif = await buildEif(name, "--cmdline", cmdline, ...args);
    return (await bootEnclave(tools, eif, parent, ENDED)).console;
  };

  it("ends the enclave when no parent answers, and says so", async () => {
    const said = await bootUntilEnd("alone", "nobody", CMDLINE, ...ramdisks(tools.init, tools.application));
    expect(said).toMatch(/^bootproof: failed: heartbeat: .+: .+$/m);
    expect(said).not.toContain("report: start");
  });

  it("starts without a parent when told to", async () => {
    const cmdline = `${STOCK} bootproof.heartbeat=off`;
    const said = await bootUntilEnd("off", "nobody", cmdline, ...ramdisks(tools.init, tools.application));
    expect(said).toMatch(/^bootproof: heartbeat: off$/m);
    expect(said).toMatch(/^bootproof: the application ended with status 0$/m);
  });

  it.each([
    ["no-command", {}, "no /cmd in the ramdisks: nothing to run"],
    ["no-program", { cmd: "/absent\n" }, "exec /absent: No such file or directory"],
    ["no-user", { cmd: "/report\n", user: "root\n" }, "/user has no uid:gid in decimal: Invalid argument"],
    ["no-folder", { cmd: "/report\n", cwd: "/absent\n" }, "chdir /absent: No such file or directory"],
    ["no-variable", { cmd: "/report\n", env: "A=1\nB\n" }, "line 2 of /env is no NAME=VALUE"],
    ["zero-byte", { cmd: "/report\0\n" }, "/cmd has a zero byte"],
  ] as const)("names what keeps it from starting: %s", async (name, files, failure) => {
    const members = Object.entries(files).map(([file, text]) => ({
      name: file,
      mode: 0o100644,
      data: utf8(text),
    }));
    const folders = ["rootfs", "rootfs/dev"].map((entry) => ({ name: entry, mode: 0o040755 }));
    await writeFile(ofFolder(`${name}.cpio`), writeCpio([...folders, ...members], { mtime: 0 }));
    const said = await bootUntilEnd(name, "here", CMDLINE, ...ramdisks(tools.init, ofFolder(`${name}.cpio`)));
    expect(said).toContain(`bootproof: failed: ${failure}\n`);
  });
});

it("leaves no process behind", async () => {
  expect(await findLeftovers(tools)).toEqual([]);
});
