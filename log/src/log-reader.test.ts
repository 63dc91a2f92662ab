import { formatHex, parseUtf8, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { verifyConsistency } from "./consistency.ts";
import { verifyInclusion } from "./inclusion.ts";
import { LogError } from "./log-error.ts";
import { fetchCheckpoint, LogReader } from "./log-reader.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk, TEST_SIGNER } from "./memory-store.testing.ts";
import { leafHash } from "./merkle.ts";
import { RightEdge, type TileObject } from "./right-edge.ts";
import { treeHash } from "./reference-tree.testing.ts";
import type { FetchObject } from "./storage.ts";
import { formatTilePath } from "./tile-path.ts";
import { noteVerifiers } from "./verifier.ts";

const SIZE = 1300;
const entries = entriesFrom(0, SIZE);
const leaves = entries.map(leafHash);
const disk = new MemoryDisk();
const verifiers = noteVerifiers([TEST_SIGNER.vkey]);

/** Serves the files of the test log, counts them, and may lie about one. */
function serve(lie: ReadonlyMap<string, Uint8Array | undefined> = new Map()): {
  fetch: FetchObject;
  asked: string[];
} {
  const asked: string[] = [];
  return {
    asked,
    fetch: (path) => {
      asked.push(path);
      return Promise.resolve(lie.has(path) ? lie.get(path) : disk.objects.get(path));
    },
  };
}

async function read(fetch: FetchObject): Promise<LogReader> {
  return LogReader.open(fetch, await fetchCheckpoint(fetch, verifiers, TEST_SIGNER.name));
}

beforeAll(async () => {
  const log = await Log.create(logOn(disk));
  await log.append(entries.slice(0, 700));
  await log.append(entries.slice(700));
});

describe("reading a log: a mirror that lies must be noticed before its bytes are believed", () => {
  it("reads every entry, in order and one by one", async () => {
    const reader = await read(serve().fetch);
    const all: string[] = [];
    for await (const { index, entry } of reader.entries()) all[Number(index)] = parseUtf8(entry, "entry");
    expect(all).toEqual(entries.map((entry) => parseUtf8(entry, "entry")));
    const some: bigint[] = [];
    for await (const { index } of reader.entries(250n, 520n)) some.push(index);
    expect([some[0], some.at(-1), some.length]).toEqual([250n, 519n, 270]);
    expect(formatHex(await reader.entry(1299n))).toBe(formatHex(entries[1299]!));
    await expect(reader.entry(1300n)).rejects.toMatchObject({ kind: "OUT_OF_TREE" });
  });

  it("makes proofs of every size that the slow reference agrees with", async () => {
    const reader = await read(serve().fetch);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: SIZE }), fc.nat(), fc.nat(), async (size, at, from) => {
        const root = treeHash(leaves.slice(0, size));
        const index = at % size;
        const claim = { leaf: leaves[index]!, index: BigInt(index), size: BigInt(size), root };
        expect(formatHex(await reader.rootAt(claim.size))).toBe(formatHex(root));
        expect(verifyInclusion(claim, await reader.inclusionProof(claim.index, claim.size))).toBe(true);
        const older = { size: BigInt(from % (size + 1)), root: treeHash(leaves.slice(0, from % (size + 1))) };
        const proof = await reader.consistencyProof(older.size, claim.size);
        expect(verifyConsistency(older, { size: claim.size, root }, proof)).toBe(true);
      }),
      { numRuns: 40 },
    );
    await expect(reader.inclusionProof(0n, 1301n)).rejects.toMatchObject({ kind: "OUT_OF_TREE" });
    await expect(reader.consistencyProof(3n, 1301n)).rejects.toMatchObject({ kind: "OUT_OF_TREE" });
  });

  it("needs at most three tiles beyond the checkpoint for a proof, and fetches none twice", async () => {
    const { fetch, asked } = serve();
    const reader = await read(fetch);
    await Promise.all([reader.inclusionProof(3n), reader.inclusionProof(4n), reader.leafHash(3n)]);
    expect(asked).toEqual(["checkpoint", "tile/0/005.p/20", "tile/1/000.p/5", "tile/0/000"]);
  });

  it("notices any changed, cut or missing tile and bundle it reads", async () => {
    for (const [path, bytes] of disk.objects) {
      if (path === "checkpoint" || path.includes(".p/188") || path.includes("1/000.p/2")) continue;
      for (const lie of [
        bytes.with(40 % bytes.length, bytes[40 % bytes.length]! ^ 1),
        bytes.slice(0, -1),
        undefined,
      ]) {
        const walk = async (): Promise<void> => {
          const reader = await read(serve(new Map([[path, lie]])).fetch);
          for await (const { index } of reader.entries()) await reader.leafHash(index);
        };
        const refusal = await walk().catch((error: unknown) => error);
        expect([path, refusal instanceof LogError]).toEqual([path, true]);
        expect((refusal as LogError).file).toContain(path);
      }
    }
  });

  it("falls back to the full tile when the partial one has been cleaned up", async () => {
    const older = new MemoryDisk();
    await (await Log.create(logOn(older))).append(entries.slice(0, 700));
    const { fetch } = serve(new Map([["checkpoint", older.objects.get("checkpoint")]]));
    const gone = ["tile/0/002.p/188", "tile/entries/002.p/188"];
    const reader = await read((path) => (gone.includes(path) ? Promise.resolve(undefined) : fetch(path)));
    expect(formatHex(await reader.entry(699n))).toBe(formatHex(entries[699]!));
  });

  it("says so when there is no log", async () => {
    await expect(read(() => Promise.resolve(undefined))).rejects.toMatchObject({ kind: "NO_LOG" });
  });
});

describe("reading a proof from far away: each tile is a request that a client waits for", () => {
  /** A log of `size` entries, which stores only the tiles; and how many are read for a proof, beside the checkpoint. */
  function reads(size: number): (index: number) => Promise<{ opened: number; proof: number }> {
    const edge = new RightEdge();
    const files = new Map<string, Uint8Array>();
    const keep = ({ path, bytes }: TileObject): unknown => files.set(formatTilePath(path), bytes);
    for (let at = 0; at < size; at++) edge.append(leafHash(utf8(String(at)))).forEach(keep);
    edge.partials().forEach(keep);
    const head = { size: BigInt(size), root: edge.root() };
    return async (index) => {
      let count = 0;
      const reader = await LogReader.open((path) => {
        count++;
        return Promise.resolve(files.get(path));
      }, head);
      const opened = count;
      const leaf = await reader.leafHash(BigInt(index));
      const proof = await reader.inclusionProof(BigInt(index));
      expect(verifyInclusion({ leaf, index: BigInt(index), ...head }, proof)).toBe(true);
      return { opened, proof: count - opened };
    };
  }

  it.each([
    // Entries, then most tiles for the right edge and for one proof once that is known.
    [1, 1, 0],
    [255, 1, 0],
    [256, 1, 1],
    [257, 2, 1],
    [65_535, 2, 1],
    [65_536, 1, 2],
    [65_537, 2, 2],
    [70_000, 3, 2],
    [200_000, 3, 2],
  ])(
    "takes for %i entries at most %i tiles to open it and %i for a proof",
    async (size, opening, proving) => {
      const proofOf = reads(size);
      const indices = [0, 1, 255, 256, 40_000, 65_535, 65_536, size - 257, size - 2, size - 1];
      let most = 0;
      for (const index of new Set(indices.filter((at) => at >= 0 && at < size))) {
        const { opened, proof } = await proofOf(index);
        expect(opened).toBe(opening);
        most = Math.max(most, proof);
      }
      expect(most).toBe(proving);
      // One full tile for each level but the topmost: two below 2^24 entries, three below 2^32.
      if (size <= 65_536) expect(opening + proving).toBeLessThanOrEqual(3);
    },
  );
});
