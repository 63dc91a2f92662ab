import { execFileSync } from "node:child_process";
import { open, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { imageBytes, putImage } from "../eif.testing.ts";
import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

interface Shown {
  readonly oneReading: boolean;
  readonly readings: readonly {
    reading: string;
    crc32?: string;
    registers?: Record<string, string>;
    sections: { sha384?: string; type?: string }[];
  }[];
  readonly findings: readonly { code: string; severity: string }[];
  readonly signature?: { checks: { name: string; answer: string }[]; pcr8?: string; problem?: string };
  readonly metadata?: { attested: boolean; name?: string };
  readonly members?: readonly { parts?: { entries: { name: string }[] }[]; problem?: string }[];
}

let folder: string;
beforeAll(async () => (folder = await scratchFolder()));

async function look(
  path: string,
  ...options: string[]
): Promise<{ exit: number; shown: Shown; text: string }> {
  const { exit, stdout } = await run(["inspect", path, "--json", ...options]);
  const text = await run(["inspect", path, ...options]);
  expect(text.exit).toBe(exit);
  return { exit, shown: JSON.parse(stdout) as Shown, text: text.stdout };
}

/** Exit status, what is wrong, PCR0 by table and by walking as two independent readers computed it. */
const ROWS: readonly (readonly [string, number, string[], string?, string?])[] = [
  ["ok-2rd", 0, [], "b7eee595"],
  ["ok-aarch64", 0, [], "b7eee595"],
  ["ok-metadata-last", 0, [], "b7eee595"],
  ["order-ramdisk-before-cmdline", 0, [], "742b7bfd"],
  ["order-ramdisk-before-kernel", 65, ["BP-EIF-021"], "cb0d3704"],
  ["signed-es256", 0, [], "b7eee595"],
  ["signed-es384", 0, [], "b7eee595"],
  ["signed-es512", 0, [], "b7eee595"],
  ["signed-two-certs-pem", 0, [], "b7eee595"],
  ["shift-kernel-cmdline", 0, [], "b7eee595"],
  ["shift-ramdisk0-ramdisk1", 0, [], "b7eee595"],
  ["bad-crc-body", 1, [], "551897a3"],
  ["truncated", 65, ["BP-EIF-008", "BP-EIF-016"]],
  ["trailing-bytes", 1, ["BP-EIF-012"], "b7eee595"],
  ["hidden-section", 1, ["BP-EIF-012", "BP-EIF-013"], "b7eee595", "af9e262e"],
  ["hidden-section-crc-seq", 1, ["BP-EIF-012", "BP-EIF-013"], "b7eee595", "af9e262e"],
  ["hidden-section-both-crc", 1, ["BP-EIF-012", "BP-EIF-013"], "b7eee595", "ac074df4"],
  ["gap-hidden-ramdisk", 1, ["BP-EIF-011", "BP-EIF-013"], "b7eee595", "97ce5946"],
  ["num-sections-33", 65, ["BP-EIF-006"], "", "b7eee595"],
  ["no-ramdisk", 65, ["BP-EIF-019"], "1b4921bd"],
  ["no-metadata", 65, ["BP-EIF-019"], "b7eee595"],
  ["two-kernels", 65, ["BP-EIF-019"], "d894d863"],
  ["two-metadata", 65, ["BP-EIF-019"], "b7eee595"],
  ["version-5", 2, ["BP-EIF-003"]],
  ["metadata-not-json", 65, ["BP-EIF-020"], "b7eee595"],
  ["metadata-empty", 65, ["BP-EIF-022"], "b7eee595"],
  ["signature-empty-array", 65, ["BP-EIF-031"], "b7eee595"],
  ["signature-bstr-cert", 65, ["BP-EIF-032"], "b7eee595"],
  ["cmdline-newline", 0, [], "62db91d0"],
  ["huge-section-size", 65, ["BP-EIF-009", "BP-EIF-016"], "b7eee595", ""],
];

describe("inspect of an EIF", () => {
  it.each(ROWS)(
    "%s: says what each reader sees, and by its exit status whether to rely on it",
    async (...row) => {
      const [name, wantedExit, faults, table = "", walk] = row;
      const { exit, shown } = await look(await putImage(folder, `${String(name)}.eif`));
      expect(exit).toBe(wantedExit);
      expect(shown.findings.filter(({ severity }) => severity !== "notice").map(({ code }) => code)).toEqual(
        faults,
      );
      expect(shown.readings.map(({ registers }) => registers?.["PCR0"]?.slice(0, 8) ?? "")).toEqual(
        walk === undefined ? [table] : [table, walk],
      );
      expect(shown.oneReading).toBe(walk === undefined);
    },
  );

  it("says of a file with two readings who sees which, with PCRs and checksum of both", async () => {
    const { text, shown } = await look(await putImage(folder, "hidden-section-both-crc.eif"));
    expect(text).toMatch(/follow the table in the header: they boot the first/);
    expect(text).toMatch(/walks from section to section: it prints the PCRs of the second/);
    expect(text.match(/^PCR0 {2}[0-9a-f]{96}$/gm)).toHaveLength(2);
    expect(text.match(/as computed/g)).toHaveLength(2);
    const [table, walk] = shown.readings;
    expect([table?.sections.length, walk?.sections.length]).toEqual([5, 6]);
    expect(table?.crc32).toBe(walk?.crc32);
  });

  it("shows both checksums where they differ, and that one reader cannot read to the end", async () => {
    const other = await look(await putImage(folder, "hidden-section.eif"));
    expect(other.text).toMatch(/WRONG: the header says [0-9a-f]{8}, the bytes give [0-9a-f]{8}/);
    const huge = await look(await putImage(folder, "huge-section-size.eif"));
    expect(huge.text).toMatch(/walks from section to section: it cannot read it to its end/);
  });

  it("judges a signature over what this image should have signed, and names PCR8", async () => {
    const { text, shown } = await look(await putImage(folder, "signed-es384.eif"));
    expect(shown.signature?.checks.slice(0, 2)).toMatchObject([{ answer: "yes" }, { answer: "yes" }]);
    expect(shown.readings[0]?.registers?.["PCR8"]).toMatch(/^5acc979c48b72209/);
    expect(text).toMatch(/^PCR8 {2}5acc979c48b72209/m);
    expect(text).toContain("CN=eif-es384,O=Research,C=GB");
    const unsigned = await look(await putImage(folder, "ok-2rd.eif"));
    expect(unsigned.text).toMatch(/^PCR8 {2}0{96} {2}not signed$/m);
  });

  it("says no to a signature of another image, whose checksum is right", async () => {
    const { crc32 } = await import("node:zlib");
    const path = await putImage(folder, "signed-es256.eif", (bytes) => {
      bytes[0xe00] = (bytes[0xe00] ?? 0) ^ 1;
      const crc = crc32(bytes.subarray(548), crc32(bytes.subarray(0, 544)));
      bytes.writeUInt32BE(crc, 544);
      return bytes;
    });
    const { exit, text } = await look(path);
    expect(exit).toBe(1);
    expect(text).toMatch(/^ {2}no +signature .*signed something else \(BP-EIF-035\)$/m);
  });

  it("says no to a kernel whose end was moved into the command line: the PCRs stay, and other words boot", async () => {
    const kernel = Buffer.alloc(4096, 0x5a);
    kernel.fill(0, 0, 1024);
    kernel[0x1f1] = 1;
    kernel.writeUInt32LE((kernel.length - 1024) / 16, 0x1f4);
    kernel.writeUInt16LE(0xaa55, 0x1fe);
    kernel.write("HdrS", 0x202, "latin1");
    kernel.writeUInt16LE(0x020f, 0x206);
    kernel[0x211] = 1;
    kernel[kernel.length - 5] = 0;
    const ramdisk = join(folder, "ramdisk");
    await writeFile(ramdisk, "070701 as if");
    const build = async (name: string, cut: number): Promise<string> => {
      const end = kernel.length - cut;
      await writeFile(join(folder, "kernel"), kernel.subarray(0, end));
      await writeFile(
        join(folder, "cmdline"),
        Buffer.concat([kernel.subarray(end), Buffer.from("lockdown=1")]),
      );
      const words = ["--kernel", join(folder, "kernel"), "--cmdline-file", join(folder, "cmdline")];
      const out = join(folder, name);
      await run(["eif", "build", ...words, "--ramdisk", ramdisk, "--out", out]);
      return out;
    };
    const whole = await look(await build("whole.eif", 0));
    const moved = await look(await build("moved.eif", 5));
    expect(moved.shown.readings[0]?.registers).toEqual(whole.shown.readings[0]?.registers);
    expect([whole.exit, moved.exit]).toEqual([0, 1]);
    expect(moved.text).toMatch(/^verdict +no: it boots otherwise than it reads: the kernel's last 5 bytes/m);
    const measured = await run(["measure", "nitro", join(folder, "moved.eif")]);
    expect(measured.stderr).toContain("BP-EIF-028");
  });

  it("answers every changed byte of a file with an answer, and never with a bug; so does measure", async () => {
    const bytes = await imageBytes("signed-es384.eif");
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, flip, cut) => {
          const changed = Buffer.from(cut ? bytes.subarray(0, at) : bytes);
          if (!cut) changed[at] = (changed[at] ?? 0) ^ flip;
          const path = join(folder, "changed.eif");
          await writeFile(path, changed);
          expect([1, 2, 65]).toContain((await run(["inspect", "eif", path])).exit);
          expect((await run(["measure", "nitro", path])).exit).toBe(65);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("does not hash a section as often as a hostile table names it", async () => {
    const path = await putImage(folder, "ok-2rd.eif", (bytes) => {
      bytes.writeUInt16BE(32, 0x1a);
      for (let place = 0; place < 32; place++) {
        bytes.writeBigUInt64BE(548n, 0x1c + 8 * place);
        bytes.writeBigUInt64BE(3001n, 0x11c + 8 * place);
      }
      return bytes;
    });
    const { exit, text, shown } = await look(path);
    expect(exit).toBe(65);
    expect(text).toContain("no PCRs: its sections overlap so often that they were not hashed");
    expect(shown.readings[1]?.registers?.["PCR0"]).toMatch(/^b7eee595/);
  });

  it("marks metadata as what nobody attests, and escapes the command line", async () => {
    const { text, shown } = await look(await putImage(folder, "cmdline-newline.eif"));
    expect(text).toMatch(/^metadata \(not attested: no register sees it\)$/m);
    expect(text).toMatch(/^command line {2}'reboot=k .*random.trust_cpu=on\\n'$/m);
    expect(shown.metadata?.attested).toBe(false);
  });

  it("lists members of ramdisks only when asked", async () => {
    const path = await putImage(folder, "ok-2rd.eif");
    expect((await look(path)).shown.members).toBeUndefined();
    const { shown, text } = await look(path, "--members");
    expect(shown.members).toHaveLength(2);
    expect(text).toMatch(/^ramdisk 1: /m);
  });

  it("reads nothing of 4 GiB that no section names", async () => {
    const path = join(folder, "sparse.eif");
    const bytes = await imageBytes("ok-2rd.eif");
    await writeFile(path, bytes);
    await truncate(path, 4 * 2 ** 30);
    const { exit, stdout } = await run(["inspect", path, "--json"]);
    expect(exit).toBe(65);
    expect((JSON.parse(stdout) as Shown).findings.map(({ code }) => code)).toContain("BP-EIF-016");
  });

  it("refuses --members of another kind, and an EIF that comes through a pipe", async () => {
    const text = join(folder, "text");
    await writeFile(text, "nothing\n");
    expect((await run(["inspect", text, "--members"])).exit).toBe(64);
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const asked = run(["inspect", pipe, "--json"]);
    const writer = await open(pipe, "w");
    await writer.write(await imageBytes("ok-2rd.eif"));
    await writer.close();
    const { exit, stdout } = await asked;
    expect(exit).toBe(66);
    expect(stdout).toContain("BP-EIF-051");
  });

  it("takes an EIF for no other kind, and another kind for no EIF", async () => {
    const path = await putImage(folder, "ok-2rd.eif");
    expect((await run(["inspect", "eif", path])).exit).toBe(0);
    expect((await run(["inspect", "kernel", path])).exit).toBe(65);
    expect((await run(["inspect", "eif", join(folder, "text")])).exit).toBe(65);
  });
});
