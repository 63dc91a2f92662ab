/**
 * What becomes of a log as it grows: appending, proofs, audits, disk and memory at each power of ten; beyond what is
 * measured, by formula.
 * @module
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import {
  audit,
  fetchCheckpoint,
  hashesAtLevel,
  LogReader,
  noteVerifiers,
  TILE_WIDTH,
  type FetchObject,
  type SignedCheckpoint,
} from "@bootproof/log";
import { DirectoryObjects } from "@bootproof/store";
import { milliseconds, type Table } from "../table.ts";
import { middle } from "../timing.ts";
import type { Grown } from "./growth-writer.ts";
import { bars } from "./plot.ts";

const ORIGIN = "bench.example/log";
const PLAIN = [1e4, 1e5];
const FULL = [...PLAIN, 1e6];
const COMPUTED = 1e9;
const PROOFS = 50;

/** A log of some size. */
interface Measured extends Grown {
  readonly size: number;
  /** Milliseconds of an inclusion proof, checkpoint and all tiles read anew. */
  readonly proof: number;
  /** Tiles read for it, at most: all that it needs, and with the right edge known. */
  readonly tiles: number;
  readonly tilesKnowingEdge: number;
  readonly auditedPerSecond: number;
  /** Bytes on disk for each entry: public and private. */
  readonly disk: readonly [open: number, hidden: number];
}

/** Grows a log to 10^5 entries, or 10^6 with `full`. */
export async function benchGrowth(full: boolean): Promise<Table> {
  const folder = await mkdtemp(path.join(tmpdir(), "bootproof-bench-growth-"));
  const writer = fork(path.join(import.meta.dirname, "growth-writer.ts"), [folder, ORIGIN], {
    execArgv: ["--conditions=@bootproof/source", "--expose-gc"],
  });
  try {
    const measured: Measured[] = [];
    for (const size of full ? FULL : PLAIN) measured.push(await measure(folder, writer, size));
    return tableOf(measured);
  } finally {
    writer.disconnect();
    await once(writer, "exit");
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, writer: ChildProcess, size: number): Promise<Measured> {
  writer.send(size);
  const [grown] = (await once(writer, "message")) as [Grown];
  const objects = await DirectoryObjects.open(path.join(folder, "public"));
  const fetch: FetchObject = (key) => objects.get(key);
  const head = await openHead(fetch);
  const start = performance.now();
  const { fault } = await audit(fetch, head);
  if (fault !== undefined) throw new Error(`${fault.file}: ${fault.reason}`);
  const auditedPerSecond = (size * 1000) / (performance.now() - start);
  const disk = [
    (await bytesOnDisk(path.join(folder, "public"))) / size,
    (await bytesOnDisk(path.join(folder, "private"))) / size,
  ] as const;
  return { ...grown, size, auditedPerSecond, disk, ...(await prove(fetch, size)) };
}

function openHead(fetch: FetchObject): Promise<SignedCheckpoint> {
  const key = makeSigningKey(ORIGIN, new Uint8Array(32).fill(9));
  return fetchCheckpoint(fetch, noteVerifiers([signerOf(key).vkey]), ORIGIN);
}

async function prove(
  fetch: FetchObject,
  size: number,
): Promise<Pick<Measured, "proof" | "tiles" | "tilesKnowingEdge">> {
  let reads = 0;
  const counting: FetchObject = (key) => {
    if (key.startsWith("tile/")) reads++;
    return fetch(key);
  };
  const times: number[] = [];
  let [tiles, tilesKnowingEdge] = [0, 0];
  for (let count = 0; count < PROOFS; count++) {
    reads = 0;
    const start = performance.now();
    const reader = await LogReader.open(counting, await openHead(counting));
    const edge = reads;
    await reader.inclusionProof(BigInt((count * 7_368_787) % size));
    times.push(performance.now() - start);
    tiles = Math.max(tiles, reads);
    tilesKnowingEdge = Math.max(tilesKnowingEdge, reads - edge);
  }
  return { proof: middle(times), tiles, tilesKnowingEdge };
}

async function bytesOnDisk(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    bytes += (await stat(path.join(entry.parentPath, entry.name))).blocks * 512;
  return bytes;
}

/** Levels of tiles that a tree of this size has. */
function levels(size: number): number {
  let level = 0;
  while (hashesAtLevel(level, BigInt(size)) > 0n) level++;
  return level;
}

function tableOf(measured: readonly Measured[]): Table {
  const last = measured.at(-1)!;
  const bytes = (count: number): string => `${Math.round(count).toLocaleString("en")} B`;
  const row = (what: string, print: (log: Measured) => string, computed = ""): string[] => [
    what,
    ...measured.map(print),
    computed,
  ];
  const height = levels(COMPUTED);
  return {
    name: "log-growth",
    head: ["entries in the log", ...measured.map(({ size }) => power(size)), `${power(COMPUTED)}, computed`],
    rows: [
      row(`append ${TILE_WIDTH}`, ({ append }) => milliseconds(append)),
      row("inclusion proof", ({ proof }) => milliseconds(proof)),
      // One tile of each level on the path, and one of each level at the right edge; the topmost is both.
      row("tiles read for it", ({ tiles }) => `${tiles}`, `${2 * height - 1}`),
      row("with the edge known", ({ tilesKnowingEdge }) => `${tilesKnowingEdge}`, `${height - 1}`),
      row(
        "audited a second",
        ({ auditedPerSecond }) => Math.round(auditedPerSecond).toLocaleString("en"),
        `${(COMPUTED / last.auditedPerSecond / 3600).toFixed(1)} h in all`,
      ),
      row("disk an entry, public", ({ disk }) => bytes(disk[0]), bytes(last.disk[0])),
      row("disk an entry, private", ({ disk }) => bytes(disk[1]), bytes(last.disk[1])),
      row("memory in use", ({ held }) => `${held.toFixed(0)} MiB`),
      row("memory, largest so far", ({ memory }) => `${memory.toFixed(0)} MiB`),
    ],
    notes: [
      "Entries of 1 KiB. Proofs and audits read the files as a stranger does; memory is the writer's, in use after garbage collection, and what it took from the system at most.",
    ],
    plot: [
      ...bars(
        "memory in use, MiB",
        measured.map(({ size, held }) => [power(size), held]),
      ),
      "",
      ...bars(
        "entries appended a second, 256 at once",
        measured.map(({ size, append }) => [power(size), (TILE_WIDTH * 1000) / append]),
      ),
      "",
      ...bars(
        "entries audited a second",
        measured.map(({ size, auditedPerSecond }) => [power(size), auditedPerSecond]),
      ),
    ],
  };
}

const power = (size: number): string => `10^${Math.round(Math.log10(size))}`;
