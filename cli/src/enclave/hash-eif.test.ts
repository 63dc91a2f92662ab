import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import { concatBytes } from "@bootproof/bytes";
import type { UntrustedEifSection } from "@bootproof/boot/eif";
import { EifHasher, joinEifDigests, type PlannedSection } from "@bootproof/measure/nitro";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { EifFile, hashEifFile, hashParts, type HashOptions } from "./hash-eif.ts";
import { CHUNK } from "./hash-job.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bootproof-hash-eif-"));
afterAll(() => rmSync(folder, { recursive: true }));

const TYPES = ["kernel", "cmdline", "ramdisk", "ramdisk", "ramdisk", "metadata", "signature"] as const;
const SIZES = [0, 1, 4711, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17];

const sections = fc.array(
  fc.record({ type: fc.constantFrom(...TYPES), size: fc.constantFrom(...SIZES), seed: fc.nat(250) }),
  { minLength: 1, maxLength: 7 },
);

interface Made extends PlannedSection {
  readonly bytes: Uint8Array;
}

const made = (given: readonly { type: PlannedSection["type"]; size: number; seed: number }[]): Made[] =>
  given.map(({ type, size, seed }) => ({
    type,
    size,
    bytes: Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed + (at >> 8)) & 0xff),
  }));

/** A file of a header and sections with 12 bytes before each. */
function layOut(parts: readonly Made[]): { file: string; places: UntrustedEifSection[]; image: Uint8Array } {
  let at = 548;
  const places = parts.map(({ type, size }): UntrustedEifSection => {
    const place = { type, typeNumber: 0, flags: 0, headerOffset: at, offset: at + 12, size };
    at += 12 + size;
    return place;
  });
  const header = new Uint8Array(548).fill(3);
  const image = concatBytes(header, ...parts.flatMap(({ bytes }) => [new Uint8Array(12).fill(7), bytes]));
  const file = path.join(folder, "image.eif");
  writeFileSync(file, image);
  return { file, places, image };
}

async function hashed(file: string, places: readonly UntrustedEifSection[], options?: HashOptions) {
  const eif = await EifFile.open(file);
  try {
    return await hashEifFile(eif, { sections: places }, options);
  } finally {
    await eif.close();
  }
}

function expected(parts: readonly Made[], image: Uint8Array) {
  const hasher = new EifHasher(parts, { crc32: (bytes, previous) => crc32(bytes, previous) });
  hasher.update(image);
  return joinEifDigests(hasher.finish());
}

describe("hashing an EIF's file: a wrong digest is a KMS policy that lets nobody in", () => {
  it("gives on one thread what hashing the bytes in memory gives", async () => {
    await fc.assert(
      fc.asyncProperty(sections, async (given) => {
        const parts = made(given);
        const { file, places, image } = layOut(parts);
        expect(await hashed(file, places, { threads: 1 })).toEqual(expected(parts, image));
      }),
      { numRuns: 15 },
    );
  });

  it("gives the same on two threads, whichever of them claims what", async () => {
    await fc.assert(
      fc.asyncProperty(sections, async (given) => {
        const parts = made(given);
        const { file, places, image } = layOut(parts);
        expect(await hashed(file, places, { threads: 2 })).toEqual(expected(parts, image));
      }),
      { numRuns: 4 },
    );
  });

  it("gives the same for loose parts, from files and from memory", async () => {
    const parts = made([
      { type: "kernel", size: CHUNK + 5, seed: 1 },
      { type: "cmdline", size: 20, seed: 2 },
      { type: "ramdisk", size: 4711, seed: 3 },
      { type: "ramdisk", size: 2 * CHUNK, seed: 4 },
    ]);
    const file = path.join(folder, "ramdisk");
    const loose = parts.map((part, index) => {
      if (part.type !== "ramdisk") return part;
      writeFileSync(`${file}-${index}`, part.bytes);
      return { type: part.type, path: `${file}-${index}` };
    });
    const hasher = new EifHasher(parts, { headers: false });
    for (const { bytes } of parts) hasher.update(bytes);
    expect(await hashParts(loose)).toEqual(joinEifDigests(hasher.finish()));
  });

  it("hashes sections that overlap or have no known type as they are listed", async () => {
    const parts = made([{ type: "kernel", size: 1000, seed: 9 }]);
    const { file, places, image } = layOut(parts);
    const twice = [...places, { ...places[0]!, type: undefined }];
    const { sections: digests, crc32: crc } = await hashed(file, twice);
    expect(digests[1]?.sha384).toEqual(digests[0]?.sha384);
    const body = image.subarray(548);
    expect(crc).toBe(crc32(body, crc32(body, crc32(image.subarray(0, 544)))));
  });

  it("says how far it is, and ends when it is interrupted", async () => {
    const { file, places } = layOut(made([{ type: "ramdisk", size: 40 * CHUNK, seed: 1 }]));
    const told: number[] = [];
    await hashed(file, places, { threads: 2, onProgress: (done) => told.push(done) });
    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBeLessThanOrEqual(40 * CHUNK);
    for (const threads of [1, 2] as const)
      await expect(
        hashed(file, places, { threads, signal: AbortSignal.abort(new Error("enough")) }),
      ).rejects.toThrow("enough");
  });

  it.each([1, 2] as const)("names a file that became shorter while %i threads read it", async (threads) => {
    const { file, places } = layOut(made([{ type: "ramdisk", size: 40 * CHUNK, seed: 1 }]));
    const eif = await EifFile.open(file);
    truncateSync(file, 20 * CHUNK);
    await expect(hashEifFile(eif, { sections: places }, { threads })).rejects.toMatchObject({
      code: "BP-EIF-050",
      detail: { file },
    });
    await eif.close();
  });

  it("names a file that was written to while it was read", async () => {
    const { file, places } = layOut(made([{ type: "ramdisk", size: 100, seed: 1 }]));
    const eif = await EifFile.open(file);
    appendFileSync(file, "more");
    await expect(hashEifFile(eif, { sections: places })).rejects.toMatchObject({ code: "BP-EIF-050" });
    await eif.close();
  });

  it("refuses a pipe, which cannot be read at several places, without waiting for a writer", async () => {
    const pipe = path.join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(hashParts([{ type: "kernel", path: pipe }])).rejects.toMatchObject({
      code: "BP-EIF-051",
      detail: { file: pipe, found: "a pipe" },
    });
    await expect(EifFile.open("/dev/null")).rejects.toMatchObject({ detail: { found: "a device" } });
  });

  it.each([
    ["BP-FILE-001", "/nonexistent/file"],
    ["BP-FILE-003", "/usr"],
  ])("says %s for what is no file", async (code, file) => {
    await expect(EifFile.open(file)).rejects.toMatchObject({ code });
  });
});
