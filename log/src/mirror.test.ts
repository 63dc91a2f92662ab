import { equalBytes } from "@bootproof/bytes";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { audit } from "./audit.ts";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { LogError } from "./log-error.ts";
import { Log } from "./log.ts";
import { entriesFrom, Killed, logOn, MemoryDisk, MemoryProcess } from "./memory-store.testing.ts";
import { mirrorLog, type MirrorReport } from "./mirror.ts";
import type { FetchObject, ObjectStore } from "./storage.ts";
import { noteVerifiers } from "./verifier.ts";

const { signer, origin } = logOn(new MemoryDisk());
const open = (note: Uint8Array): SignedCheckpoint =>
  openCheckpoint(note, noteVerifiers([signer.vkey]), origin);
const reads =
  (files: ReadonlyMap<string, Uint8Array>): FetchObject =>
  (path) =>
    Promise.resolve(files.get(path));

interface Source {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly head: SignedCheckpoint;
}

/** A log of so many entries; those from `fork` on are of another tree. */
async function sourceOf(size: number, fork = size): Promise<Source> {
  const disk = new MemoryDisk();
  const log = await Log.create(logOn(disk));
  await log.append([...entriesFrom(0, fork), ...entriesFrom(0, size - fork, "forked")]);
  return { files: disk.objects, head: open(log.checkpoint.note) };
}

function copyTo(
  disk: MemoryDisk,
  { files, head }: Source,
  objects: ObjectStore = new MemoryProcess(disk).objects,
  fetch = reads(files),
): Promise<MirrorReport> {
  const note = disk.objects.get("checkpoint");
  return mirrorLog({ fetch, head, objects, jobs: 3, ...(note === undefined ? {} : { current: open(note) }) });
}

/** Everything that the copy's checkpoint implies must be there, whatever happened. */
async function expectServable(disk: MemoryDisk): Promise<bigint> {
  const note = disk.objects.get("checkpoint");
  if (note === undefined) return -1n;
  const head = open(note);
  expect((await audit(reads(disk.objects), head)).fault).toBeUndefined();
  return head.size;
}

describe("a mirror: a copy that is believed to hold what the log published, and does not", () => {
  let at300: Source;
  let at700: Source;
  let at66k: Source;
  beforeAll(async () => {
    [at300, at700, at66k] = [await sourceOf(300), await sourceOf(700), await sourceOf(66_000)];
  });

  it("copies a log of any size byte by byte, and goes on with what is new", async () => {
    const disk = new MemoryDisk();
    for (const size of [0, 1, 255, 256, 257, 300, 700, 66_000]) {
      const source = size === 66_000 ? at66k : await sourceOf(size);
      await copyTo(disk, source);
      expect(await expectServable(disk)).toBe(BigInt(size));
      for (const [file, bytes] of source.files) {
        const copied = disk.objects.get(file);
        expect([file, copied !== undefined && equalBytes(copied, bytes)]).toEqual([file, true]);
      }
    }
  });

  it("reads only what is new, and nothing when nothing is", async () => {
    const disk = new MemoryDisk();
    await copyTo(disk, at300);
    const read: string[] = [];
    const fetch: FetchObject = (path) => {
      read.push(path);
      return reads(at700.files)(path);
    };
    expect(await copyTo(disk, at700, undefined, fetch)).toEqual({
      size: 700n,
      from: 300n,
      written: 5,
      kept: 0,
    });
    expect(read.filter((path) => path.startsWith("tile/entries/"))).toEqual([
      "tile/entries/001",
      "tile/entries/002.p/188",
    ]);
    read.length = 0;
    expect((await copyTo(disk, at700, undefined, fetch)).written).toBe(0);
    expect(read.filter((path) => path.startsWith("tile/entries/"))).toEqual([]);
  });

  it("never shows a checkpoint that it does not hold everything of, wherever it is killed", async () => {
    const start = new MemoryDisk();
    await copyTo(start, at300);
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.func(fc.boolean()), async (after, coin) => {
        const disk = start.copy();
        const process = new MemoryProcess(disk, { after, coin });
        const killed = await copyTo(disk, at700, process.objects).then(
          () => false,
          (error: unknown) => error instanceof Killed || Promise.reject(error as Error),
        );
        disk.cutPower(() => coin(after));
        const size = await expectServable(disk);
        expect([300n, 700n]).toContain(size);
        if (!killed) expect(size).toBe(700n);
        await copyTo(disk, at700);
        expect(await expectServable(disk)).toBe(700n);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps what it had written when it is interrupted, and replaces leftovers of another tree", async () => {
    const disk = new MemoryDisk();
    let left = 300;
    const cut: FetchObject = (path) =>
      left-- > 0 ? reads(at66k.files)(path) : Promise.reject(new Error("cut off"));
    await expect(copyTo(disk, at66k, undefined, cut)).rejects.toThrow("cut off");
    expect(disk.objects.get("checkpoint")).toBeUndefined();
    const report = await copyTo(disk, at66k);
    expect(report.kept).toBeGreaterThan(100);
    const other = new MemoryDisk();
    for (const [file, bytes] of (await sourceOf(700, 3)).files)
      if (file !== "checkpoint") other.objects.set(file, bytes);
    other.objects.set("tile/entries/000", new Uint8Array(5));
    await copyTo(other, at700);
    expect(await expectServable(other)).toBe(700n);
  });

  it("takes full tiles where the partial ones are gone", async () => {
    const files = new Map(at700.files);
    for (const [file, bytes] of (await sourceOf(1024)).files)
      if (/^tile\/(0|entries)\/002$/.test(file)) files.set(file, bytes);
    for (const file of ["tile/entries/002.p/188", "tile/0/002.p/188"]) files.delete(file);
    const disk = new MemoryDisk();
    await copyTo(disk, { ...at700, files });
    expect(await expectServable(disk)).toBe(700n);
    expect(disk.objects.has("tile/entries/002.p/188")).toBe(true);
  });

  it("writes no file that is wrong, names it, and stays as it was", async () => {
    for (const [file, bytes] of at700.files) {
      if (file === "checkpoint") continue;
      const disk = new MemoryDisk();
      await copyTo(disk, at300);
      const files = new Map(at700.files).set(file, bytes.with(9, bytes[9]! ^ 1));
      const failed = await copyTo(disk, { ...at700, files }).catch((error: unknown) => error);
      // What the copy had before is not read again.
      if (/^tile\/(0|entries)\/000$/.test(file)) expect(failed).toMatchObject({ size: 700n });
      else {
        expect(failed).toBeInstanceOf(LogError);
        expect((failed as LogError).file).toContain(file);
        expect(await expectServable(disk)).toBe(300n);
      }
    }
  });

  it("does not follow a log that shrank or forked", async () => {
    const disk = new MemoryDisk();
    await copyTo(disk, at300);
    const before = new Map(disk.objects);
    await expect(copyTo(disk, await sourceOf(299))).rejects.toMatchObject({ kind: "ROLLBACK" });
    await expect(copyTo(disk, await sourceOf(300, 2))).rejects.toMatchObject({ kind: "FORK" });
    await expect(copyTo(disk, await sourceOf(700, 299))).rejects.toMatchObject({ kind: "FORK" });
    expect(disk.objects).toEqual(before);
  });
});
