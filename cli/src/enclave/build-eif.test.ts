import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readEif, type EifSectionType } from "@bootproof/boot/eif";
import { writeEifFile, type EifPart } from "@bootproof/builder/eif-file";
import { afterAll, describe, expect, it } from "vitest";
import { buildEifFile } from "./build-eif.ts";
import { EifFile, hashEifFile } from "./hash-eif.ts";
import { CHUNK } from "./hash-job.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bootproof-build-eif-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (size: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, at) => (at * 7 + seed + (at >> 8)) & 0xff);

const part = (type: EifSectionType, size: number, seed: number): EifPart => {
  const file = path.join(folder, `${type}-${seed}`);
  writeFileSync(file, bytes(size, seed));
  return { type, path: file };
};

const SECTIONS: readonly EifPart[] = [
  part("kernel", CHUNK + 1, 1),
  { type: "cmdline", bytes: bytes(40, 2) },
  part("ramdisk", 3 * CHUNK, 3),
  part("ramdisk", 5 * CHUNK + 99, 4),
  { type: "metadata", bytes: new TextEncoder().encode("{}") },
];
const INPUT = { architecture: "x86_64", sections: SECTIONS } as const;

async function reread(file: string) {
  const eif = await EifFile.open(file);
  const { table, layout, findings } = await readEif(eif);
  const digests = await hashEifFile(eif, { sections: table }, { threads: 1 });
  await eif.close();
  return { table, layout, findings, digests };
}

describe("building an EIF and measuring it at once: PCRs of another file than the one that was written", () => {
  it.each([1, 2] as const)("are those that reading the file gives, on %i threads", async (threads) => {
    const file = path.join(folder, "out.eif");
    const built = await buildEifFile(INPUT, file, { threads });
    const { table, digests, layout } = await reread(file);
    expect(table.map(({ type }) => type)).toEqual(["kernel", "cmdline", "metadata", "ramdisk", "ramdisk"]);
    expect(built).toEqual(digests);
    expect(layout?.crc32 ?? digests.crc32).toBe(built.crc32);
  });

  it("is byte for byte the file that a writer without hashing makes", async () => {
    const [hashed, plain] = [path.join(folder, "hashed.eif"), path.join(folder, "plain.eif")];
    const { crc32 } = await buildEifFile(INPUT, hashed, { threads: 2 });
    expect(await writeEifFile(INPUT, plain)).toMatchObject({ crc32 });
    expect(readFileSync(hashed).equals(readFileSync(plain))).toBe(true);
  });

  it("signs what it has hashed, and puts the signature last", async () => {
    const [signed, plain] = [path.join(folder, "signed.eif"), path.join(folder, "late.eif")];
    const signature = bytes(3000, 9);
    let known: unknown;
    const built = await buildEifFile(INPUT, signed, {
      sign: (digests) => ((known = digests.inner0), Promise.resolve(signature)),
    });
    expect(known).toEqual(built.inner0);
    const sections = [...SECTIONS, { type: "signature", bytes: signature } as const];
    await writeEifFile({ ...INPUT, sections }, plain);
    expect(readFileSync(signed).equals(readFileSync(plain))).toBe(true);
  });
});

describe("writing an EIF: a file that is half of one, or half of two", () => {
  it("never is there when writing ends early: what was there before stays", async () => {
    const file = path.join(folder, "kept", "out.eif");
    mkdirSync(path.dirname(file));
    writeFileSync(file, "before");
    await expect(
      writeEifFile(INPUT, file, { signal: AbortSignal.abort(new Error("enough")) }),
    ).rejects.toThrow("enough");
    const sign = () => Promise.reject(new Error("no key"));
    await expect(buildEifFile(INPUT, file, { sign })).rejects.toThrow("no key");
    expect(readFileSync(file, "utf8")).toBe("before");
    expect(readdirSync(path.dirname(file))).toEqual(["out.eif"]);
  });

  it("takes stretches of an image that it then replaces", async () => {
    const file = path.join(folder, "again.eif");
    await writeEifFile(INPUT, file);
    const before = readFileSync(file);
    const { table } = await reread(file);
    const sections = table.map(({ type, offset, size }) => ({ type: type!, path: file, offset, size }));
    await writeEifFile({ architecture: "x86_64", sections, order: "given" }, file);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it.each<[string, readonly EifPart[], string]>([
    ["no kernel", SECTIONS.slice(1), "BP-EIF-060"],
    ["an empty ramdisk", [...SECTIONS, { type: "ramdisk", bytes: new Uint8Array() }], "BP-EIF-060"],
    ["a folder", [...SECTIONS, { type: "ramdisk", path: folder }], "BP-EIF-062"],
    ["no such file", [...SECTIONS, { type: "ramdisk", path: "/nonexistent" }], "ENOENT"],
  ])("refuses %s", async (_, sections, code) => {
    const file = path.join(folder, "refused.eif");
    await expect(writeEifFile({ ...INPUT, sections }, file)).rejects.toMatchObject({ code });
    expect(existsSync(file)).toBe(false);
  });

  it("names a part that changed meanwhile", async () => {
    const grown = path.join(folder, "grown");
    writeFileSync(grown, bytes(100, 1));
    const sections: EifPart[] = [...SECTIONS, { type: "ramdisk", path: grown }];
    const copy = (_: number, transfers: readonly unknown[]): Promise<number[]> => {
      writeFileSync(grown, bytes(101, 1));
      return Promise.resolve(transfers.map(() => 0));
    };
    await expect(
      writeEifFile({ ...INPUT, sections }, path.join(folder, "x.eif"), { copy }),
    ).rejects.toMatchObject({
      code: "BP-EIF-061",
      file: grown,
    });
  });
});
