import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatHex, parseHex, parseUtf8, sha256, utf8 } from "@bootproof/bytes";
import { describe, expect, it, vi } from "vitest";
import { MemoryIdentities } from "./identity-index.ts";
import { readVectors, vectorPath } from "./hostile.testing.ts";
import { LogError, type LogErrorKind } from "./log-error.ts";
import { Log, type LogOptions } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk, TEST_SIGNER } from "./memory-store.testing.ts";
import { ed25519Signer } from "./signer.ts";
import type { WriterLock } from "./storage.ts";
import { formatTlogProof, parseTlogProof } from "./tlog-proof.ts";
import { verifyTlogProof } from "./verify-tlog-proof.ts";

const keys = readVectors<{ log: { name: string; seed_hex: string } }>("keys.json");
const vectorSigner = ed25519Signer(keys.log.name, parseHex(keys.log.seed_hex, "seed"));
const onDisk = (disk: MemoryDisk) => ({ ...logOn(disk), origin: vectorSigner.name, signer: vectorSigner });
const kindOf = async (work: Promise<unknown>): Promise<LogErrorKind | "no error" | "another error"> => {
  try {
    await work;
    return "no error";
  } catch (error) {
    return error instanceof LogError ? error.kind : "another error";
  }
};

describe("the log: other implementations must find the files they expect", () => {
  it.each([0, 1, 255, 256, 257, 513])(
    "writes the published log of %i entries byte for byte",
    async (size) => {
      const disk = new MemoryDisk();
      const log = await Log.create(onDisk(disk));
      if (size > 0) await log.append(entriesFrom(0, size));
      const root = fileURLToPath(vectorPath(`tiles/logs/size-${size}`));
      const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((file) =>
        file.isFile(),
      );
      const published = Object.fromEntries(
        files.map((file) => {
          const path = join(file.parentPath, file.name);
          return [path.slice(root.length + 1), readFileSync(path).toString("hex")];
        }),
      );
      const written = Object.fromEntries(
        Array.from(disk.objects, ([path, bytes]) => [path, formatHex(bytes)]),
      );
      expect(written).toEqual(published);
    },
  );

  it("writes the published log of 70000 entries, each file by its digest", async () => {
    const manifest = readVectors<{ checkpoint: string; sha256_by_path: Record<string, string> }>(
      "tiles/size-70000-manifest.json",
    );
    const disk = new MemoryDisk();
    const log = await Log.create(onDisk(disk));
    await log.append(entriesFrom(0, 70_000));
    const digests = Array.from(disk.objects, ([path, bytes]) => [path, formatHex(sha256(bytes))] as const);
    expect(parseUtf8(disk.objects.get("checkpoint")!, "checkpoint")).toBe(manifest.checkpoint);
    const { checkpoint: own, ...rest } = Object.fromEntries(digests);
    const { checkpoint: theirs, ...tiles } = manifest.sha256_by_path;
    expect(rest).toEqual(tiles);
    expect(theirs ?? own).toBe(own);
  });

  it("writes every partial tile and bundle of Tessera's test log, entry by entry", async () => {
    const tessera = readVectors<{ files_base64: Record<string, string> }>("tiles/tessera-testdata-log.json");
    const bundle = Buffer.from(tessera.files_base64["tile/entries/000.p/15"]!, "base64");
    const entries: Uint8Array[] = [];
    for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at))
      entries.push(new Uint8Array(bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at))));
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    for (const entry of entries) await log.append([entry]);
    for (const [path, base64] of Object.entries(tessera.files_base64))
      if (path.startsWith("tile/"))
        expect([path, Buffer.from(disk.objects.get(path) ?? []).toString("base64")]).toEqual([path, base64]);
  });
});

describe("the log: whoever appends gets an index that holds for ever", () => {
  it("answers a duplicate with the index it has, in one call, across calls and after reopening", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    const [a, b, c] = entriesFrom(0, 3) as [Uint8Array, Uint8Array, Uint8Array];
    expect(await log.append([a, b, a])).toEqual([
      { index: 0n, duplicate: false },
      { index: 1n, duplicate: false },
      { index: 0n, duplicate: true },
    ]);
    expect(await log.append([b])).toEqual([{ index: 1n, duplicate: true }]);
    const again = await Log.open(logOn(disk));
    expect(await again.append([c, a])).toEqual([
      { index: 2n, duplicate: false },
      { index: 0n, duplicate: true },
    ]);
    expect(again.checkpoint.size).toBe(3n);
  });

  it("takes the caller's word for what makes two entries the same", async () => {
    const identity = (entry: Uint8Array) => sha256(entry.subarray(0, 1));
    const log = await Log.create({ ...logOn(new MemoryDisk()), identity });
    await log.append([utf8("one")]);
    expect(await log.append([utf8("other")])).toEqual([{ index: 0n, duplicate: true }]);
  });

  const refill = (index: MemoryIdentities, entries: Uint8Array[]): void => {
    index.clear();
    index.append(entries.map(sha256));
  };
  const forging: readonly [string, (index: MemoryIdentities) => void][] = [
    ["lost", (index) => index.clear()],
    ["behind", (index) => refill(index, entriesFrom(0, 100))],
    ["ahead", (index) => index.append(entriesFrom(900, 1).map(sha256))],
    ["of another log", (index) => refill(index, entriesFrom(5000, 300))],
  ];
  it.each(forging)("completes an index of identities that is %s", async (_, forge) => {
    const disk = new MemoryDisk();
    const identities = new MemoryIdentities();
    await (await Log.create({ ...logOn(disk), identities })).append(entriesFrom(0, 300));
    expect(identities.entries).toBe(300n);
    forge(identities);
    const log = await Log.open({ ...logOn(disk), identities });
    expect(identities.entries).toBe(300n);
    for (const at of [7, 255, 256, 299])
      expect(await log.append(entriesFrom(at, 1))).toEqual([{ index: BigInt(at), duplicate: true }]);
    expect(await log.append(entriesFrom(5000, 1))).toEqual([{ index: 300n, duplicate: false }]);
  });

  it("does not believe a forged index of identities", async () => {
    const disk = new MemoryDisk();
    const identities = new MemoryIdentities();
    await (await Log.create({ ...logOn(disk), identities })).append(entriesFrom(0, 300));
    identities.clear();
    identities.append([sha256(utf8("never logged")), ...entriesFrom(1, 299).map(sha256)]);
    const log = await Log.open({ ...logOn(disk), identities });
    expect(await log.append([utf8("never logged")])).toEqual([{ index: 300n, duplicate: false }]);
  });

  it("removes the objects in which earlier versions kept identities", async () => {
    const disk = new MemoryDisk();
    await (await Log.create(logOn(disk))).append(entriesFrom(0, 3));
    for (const key of ["dedup/000", "dedup/x001/000"]) disk.staging.set(key, new Uint8Array(8192));
    await Log.open(logOn(disk));
    expect([...disk.staging.keys()]).toEqual([]);
  });

  it("answers calls made at the same time from one commit", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    const generation = disk.head!.generation;
    const answers = await Promise.all(entriesFrom(0, 20).map((entry) => log.append([entry])));
    expect(answers.flat().map(({ index }) => index)).toEqual(
      Array.from({ length: 20 }, (_, at) => BigInt(at)),
    );
    expect(disk.head!.generation).toBe(generation + 1);
  });

  it("gives a proof that verifies offline and carries the entry", async () => {
    const log = await Log.create(logOn(new MemoryDisk()));
    await log.append(entriesFrom(0, 300));
    for (const index of [0n, 255n, 256n, 299n]) {
      const file = formatTlogProof(await log.proof(index));
      const verdict = verifyTlogProof({ proof: file, policy: { logKey: TEST_SIGNER.vkey } });
      expect([verdict.answer, verdict.index]).toEqual(["yes", index]);
      expect(parseUtf8(parseTlogProof(file).extra!, "extra")).toBe(`leaf ${index}`);
    }
    expect(await kindOf(log.proof(300n))).toBe("OUT_OF_TREE");
  });

  it("refuses an entry that no bundle can hold, and goes on", async () => {
    const log = await Log.create(logOn(new MemoryDisk()));
    expect(await kindOf(log.append([new Uint8Array(65_536)]))).toBe("ENTRY_TOO_LARGE");
    expect(await log.append([new Uint8Array(65_535), new Uint8Array()])).toHaveLength(2);
    expect(await log.append([])).toEqual([]);
  });

  it("leaves no stage behind", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    await log.append(entriesFrom(0, 10));
    expect([...disk.staging.keys()]).toEqual([]);
  });
});

describe("two writers: one log must never become two", () => {
  it("stops the second writer with CONFLICT and every call after it", async () => {
    const disk = new MemoryDisk();
    const first = await Log.create(logOn(disk));
    const second = await Log.open(logOn(disk));
    await first.append(entriesFrom(0, 5, "first"));
    expect(await kindOf(second.append(entriesFrom(0, 9, "second")))).toBe("CONFLICT");
    expect(await kindOf(second.append(entriesFrom(0, 1)))).toBe("STOPPED");
    const reopened = await Log.open(logOn(disk));
    expect(await reopened.append(entriesFrom(0, 9, "second"))).toHaveLength(9);
    expect((await reopened.audit()).fault).toBeUndefined();
    expect(reopened.checkpoint.size).toBe(14n);
  });

  it("lets exactly one of two racing writers commit", async () => {
    const disk = new MemoryDisk();
    await Log.create(logOn(disk));
    const writers = await Promise.all([Log.open(logOn(disk)), Log.open(logOn(disk))]);
    const outcomes = await Promise.all(
      writers.map((log, at) => kindOf(log.append(entriesFrom(0, 3, `writer ${at}`)))),
    );
    expect(outcomes.toSorted()).toEqual(["CONFLICT", "no error"]);
  });

  it("lets no writer publish an older checkpoint, however late it wakes after its commit", async () => {
    const disk = new MemoryDisk();
    const options = logOn(disk);
    const slow = await Log.create(options);
    const [committed, awake] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const putMutable = options.objects.putMutable.bind(options.objects);
    options.objects.putMutable = async (...put) => {
      committed.resolve(undefined);
      await awake.promise;
      return putMutable(...put);
    };
    const late = kindOf(slow.append(entriesFrom(0, 5, "slow")));
    await committed.promise;
    const quick = await Log.open(logOn(disk));
    await quick.append(entriesFrom(0, 3, "quick"));
    awake.resolve(undefined);
    expect(await late).toBe("CONFLICT");
    expect(disk.objects.get("checkpoint")).toEqual(quick.checkpoint.note);
    expect(quick.checkpoint.size).toBe(8n);
    // Nothing is lost: the slow writer had committed, and asks again.
    expect((await quick.append(entriesFrom(0, 5, "slow"))).every(({ duplicate }) => duplicate)).toBe(true);
  });

  it("tells the second writer at once that there is a first, which writes on; after it closed the second may", async () => {
    const disk = new MemoryDisk();
    let held = false;
    const locked = (): LogOptions => {
      const options = logOn(disk);
      const lock = (): Promise<WriterLock | undefined> => {
        if (held) return Promise.resolve(undefined);
        held = true;
        return Promise.resolve({ release: () => Promise.resolve(void (held = false)) });
      };
      return { ...options, head: { ...options.head, lock } };
    };
    expect(await kindOf(Log.open(locked()))).toBe("NO_LOG"); // and gives the lock back
    const first = await Log.create(locked());
    expect(await kindOf(Log.open(locked()))).toBe("LOCKED");
    expect(await kindOf(Log.create(locked()))).toBe("LOCKED");
    const last = first.append(entriesFrom(0, 5));
    await first.close();
    expect(await last).toHaveLength(5);
    expect(await kindOf(first.append(entriesFrom(5, 1)))).toBe("STOPPED");
    expect((await Log.open(locked())).checkpoint.size).toBe(5n);
  });

  it("does not create a log over another one, nor open one where there is none", async () => {
    const disk = new MemoryDisk();
    expect(await kindOf(Log.open(logOn(disk)))).toBe("NO_LOG");
    await Log.create(logOn(disk));
    expect(await kindOf(Log.create(logOn(disk)))).toBe("EXISTS");
    disk.head = undefined;
    expect(await kindOf(Log.create(logOn(disk)))).toBe("EXISTS");
    expect(await kindOf(Log.open(logOn(disk)))).toBe("ROLLBACK");
  });
});

describe("a frozen log: nothing is added to what its final checkpoint covers", () => {
  it("takes no entry any more, after reopening neither, and is still read, proved and published", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    await log.append(entriesFrom(0, 300));
    expect(log.frozen).toBe(false);
    const waiting = kindOf(log.append(entriesFrom(300, 1)));
    await log.freeze();
    expect(await waiting).toBe("no error"); // it came first
    const { generation } = disk.head!;
    await log.freeze();
    expect([log.frozen, disk.head!.generation]).toEqual([true, generation]);
    expect(await kindOf(log.append(entriesFrom(0, 1)))).toBe("FROZEN");
    await log.refresh(); // the writer goes on
    const again = await Log.open(logOn(disk));
    expect([again.frozen, again.checkpoint.size]).toEqual([true, 301n]);
    expect(await kindOf(again.append(entriesFrom(400, 1)))).toBe("FROZEN");
    await again.refresh();
    const verdict = verifyTlogProof({ proof: await again.proof(300n), policy: { logKey: TEST_SIGNER.vkey } });
    expect(verdict.answer).toBe("yes");
    expect((await again.audit()).fault).toBeUndefined();
  });

  it("stops another writer that would add to it", async () => {
    const disk = new MemoryDisk();
    const first = await Log.create(logOn(disk));
    const second = await Log.open(logOn(disk));
    await first.freeze();
    expect(await kindOf(second.append(entriesFrom(0, 1)))).toBe("CONFLICT");
    expect((await Log.open(logOn(disk))).size).toBe(0n);
  });
});

describe("the writer and the clock: one that jumps must not matter", () => {
  it("never asks what time it is", async () => {
    const disk = new MemoryDisk();
    const now = vi.spyOn(Date, "now").mockImplementation(() => {
      throw new Error("asked");
    });
    const measured = vi.spyOn(performance, "now").mockImplementation(() => {
      throw new Error("asked");
    });
    try {
      await (await Log.create(logOn(disk))).append(entriesFrom(0, 3));
      const log = await Log.open(logOn(disk));
      await log.append(entriesFrom(3, 300));
      await log.refresh();
      await log.freeze();
      expect(log.checkpoint.size).toBe(303n);
    } finally {
      now.mockRestore();
      measured.mockRestore();
    }
  });
});

describe("an index told at the commit point: it must be there after any crash", () => {
  const died = (): Promise<never> => Promise.reject(new Error("died"));

  it("comes before the files are written, and the log that is opened after a death has the entry there", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    await log.append(entriesFrom(0, 3));
    await log.close();
    const place = logOn(disk);
    // No file of the commit comes to be, and no checkpoint.
    const objects = { ...place.objects, putImmutable: died, putImmutables: died };
    const dying = await Log.open({
      ...place,
      objects: Object.setPrototypeOf(objects, place.objects) as typeof objects,
    });
    const told: string[] = [];
    const entries = [...entriesFrom(1, 1), ...entriesFrom(3, 2)];
    const appending = dying.append(entries, (appended) => {
      told.push(...appended.map(({ index, duplicate }) => `${String(index)} ${String(duplicate)}`));
      expect(dying.checkpoint.size).toBe(3n);
    });
    await expect(appending).rejects.toThrow("died");
    expect(told).toEqual(["1 true", "3 false", "4 false"]);
    await dying.close();
    const again = await Log.open(logOn(disk));
    expect(again.checkpoint.size).toBe(5n);
    expect(await Promise.all([1n, 3n, 4n].map((index) => again.reader.entry(index)))).toEqual(entries);
  });

  it("tells each of the calls that share a commit of its own entries, and nobody of what was not committed", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(logOn(disk));
    const told: bigint[][] = [];
    const note = (at: number) => (appended: readonly { readonly index: bigint }[]) => {
      told[at] = appended.map(({ index }) => index);
    };
    await Promise.all([
      log.append(entriesFrom(0, 2), note(0)),
      log.append([]),
      log.append(entriesFrom(2, 1), note(1)),
    ]);
    expect(told).toEqual([[0n, 1n], [2n]]);
    await log.close();
    const place = logOn(disk);
    const head = Object.assign(Object.create(place.head) as typeof place.head, { compareAndSwap: died });
    const failing = await Log.open({ ...place, head });
    await expect(failing.append(entriesFrom(3, 1), note(2))).rejects.toThrow("died");
    expect(told[2]).toBeUndefined();
  });
});
