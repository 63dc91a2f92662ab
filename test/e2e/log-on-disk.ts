/**
 * A log on a folder, and what must hold of it after whatever happened to the process that wrote to it: the invariants
 * of a log that never loses and never forks.
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatHex, parseUtf8, sha256, utf8 } from "@bootproof/bytes";
import {
  audit,
  ed25519Signer,
  formatTlogProof,
  Log,
  LogError,
  noteVerifiers,
  openCheckpoint,
  verifyConsistency,
  verifyTlogProof,
  type LogOptions,
  type SignedCheckpoint,
} from "@bootproof/log";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { expect } from "vitest";

const SIGNER = ed25519Signer("log.test/faults", new Uint8Array(32).fill(3));
const VERIFIERS = noteVerifiers([SIGNER.vkey]);

/** What the writer does: appends numbered entries, or removes partial tiles that full ones have replaced. */
export type Step = readonly [from: number, count: number] | "collect";

/** A line that the writer prints. */
export type WriterLine =
  | { readonly told: "opened"; readonly checkpoint: string }
  | {
      readonly told: "appended";
      readonly from: number;
      readonly indices: readonly number[];
      readonly checkpoint: string;
    }
  | { readonly told: "failed"; readonly code: string; readonly message: string };

/** How to open the log of a folder. */
export type PlaceOf = (folder: string) => Promise<LogOptions>;

/** The parts of a place that are the same wherever its private part is. */
export async function publicPlace(
  folder: string,
): Promise<Pick<LogOptions, "origin" | "signer" | "objects">> {
  const objects = await DirectoryObjects.open(path.join(folder, "public"));
  return { origin: SIGNER.name, signer: SIGNER, objects };
}

/** All in the folder. */
export async function placeOnDisk(folder: string): Promise<LogOptions> {
  return {
    ...(await publicPlace(folder)),
    staging: await DirectoryObjects.open(path.join(folder, "private")),
    head: await DirectoryHead.open(path.join(folder, "private/head")),
  };
}

/** Entries by number: each number has its own bytes. */
export function numberedEntries(from: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => utf8(`entry ${from + at} `.padEnd(100, ".")));
}

/** A server may take this long to notice that a writer was killed. */
const PATIENCE = 5_000;

/** Opens the log, or makes it where its start was killed; waits up to `patience` milliseconds for another writer's end. */
export async function openOrCreate(place: LogOptions, patience = 0): Promise<Log> {
  const start = Date.now();
  for (;;) {
    try {
      return await Log.open(place);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      if (error.kind === "NO_LOG") return Log.create(place);
      if (error.kind !== "LOCKED" || Date.now() - start > patience) throw error;
    }
    await sleep(20);
  }
}

/** All that was ever said about a log, by its writer or by its files, in order. */
export class LogHistory {
  readonly #folder: string;
  /** Entries acknowledged, by index. */
  readonly #told = new Map<bigint, string>();
  readonly #public: SignedCheckpoint[] = [];

  readonly #placeOf: PlaceOf;

  constructor(folder: string, placeOf: PlaceOf = placeOnDisk) {
    this.#folder = folder;
    this.#placeOf = placeOf;
  }

  /** Takes what a writer printed; its last line may be torn. */
  hear(stdout: string): void {
    for (const text of stdout.split("\n").slice(0, -1)) {
      const line = JSON.parse(text) as WriterLine;
      if (line.told === "failed") continue;
      this.#see(utf8(line.checkpoint));
      if (line.told === "appended")
        numberedEntries(line.from, line.indices.length).forEach((entry, at) => {
          this.#told.set(BigInt(line.indices[at] ?? -1), parseUtf8(entry, "entry"));
        });
    }
  }

  /** Sees the log as its readers do, before anybody recovers it: all that was ever public must be whole. */
  async look(): Promise<void> {
    const files = await snapshot(path.join(this.#folder, "public"));
    const note = files.get("checkpoint");
    if (note === undefined) return;
    this.#see(note);
    for (const head of new Map(this.#public.map((seen) => [seen.size, seen])).values()) {
      const report = await audit((file) => Promise.resolve(files.get(file)), head);
      expect(report.fault).toBeUndefined();
    }
  }

  /** Restarts the log and holds it to everything; `planned` are all entries it may hold, by number. */
  async expectWhole(planned: readonly (readonly [from: number, count: number])[]): Promise<void> {
    await this.look();
    const before = await snapshot(path.join(this.#folder, "public/tile"));
    await (await this.#open()).close();
    const once = await snapshot(this.#folder);
    for (const [file, bytes] of before)
      expect([file, formatHex(sha256(once.get(`public/tile/${file}`) ?? new Uint8Array()))]).toEqual([
        file,
        formatHex(sha256(bytes)),
      ]);
    const log = await this.#open();
    try {
      expect(digests(await snapshot(this.#folder))).toEqual(digests(once));
      expect((await log.audit()).fault).toBeUndefined();
      this.#see(log.checkpoint.note);
      for (const [from, count] of planned) await this.#append(log, from, count);
      const all = planned.reduce((sum, [, count]) => sum + count, 0);
      expect(log.checkpoint.size).toBe(BigInt(all)); // nothing twice, nothing missing
      await this.#expectProvable(log);
      await this.#expectChain(log);
    } finally {
      await log.close();
    }
    await this.look();
  }

  async #open(): Promise<Log> {
    return openOrCreate(await this.#placeOf(this.#folder), PATIENCE);
  }

  async #append(log: Log, from: number, count: number): Promise<void> {
    const entries = numberedEntries(from, count);
    const appended = await log.append(entries);
    for (const [at, { index }] of appended.entries()) {
      const text = parseUtf8(entries[at] ?? new Uint8Array(), "entry");
      expect([index, this.#told.get(index) ?? text]).toEqual([index, text]);
      this.#told.set(index, text);
    }
    this.#see(log.checkpoint.note);
  }

  async #expectProvable(log: Log): Promise<void> {
    for await (const { index, entry } of log.reader.entries())
      expect([index, parseUtf8(entry, "entry")]).toEqual([index, this.#told.get(index)]);
    for (const index of [...this.#told.keys()].filter((_, at) => at % 16 === 0)) {
      const proof = formatTlogProof(await log.proof(index));
      expect(verifyTlogProof({ proof, policy: { logKey: SIGNER.vkey } }).answer).toBe("yes");
    }
  }

  async #expectChain(log: Log): Promise<void> {
    for (const [at, newer] of this.#public.entries()) {
      const older = this.#public[at - 1];
      if (older === undefined) continue;
      expect(newer.size).toBeGreaterThanOrEqual(older.size);
      const proof = await log.reader.consistencyProof(older.size, newer.size);
      expect(verifyConsistency(older, newer, proof)).toBe(true);
    }
  }

  #see(note: Uint8Array): void {
    this.#public.push(openCheckpoint(note, VERIFIERS, SIGNER.name));
  }
}

const digests = (files: ReadonlyMap<string, Uint8Array>): string[] =>
  Array.from(files, ([file, bytes]) => `${file} ${formatHex(sha256(bytes))}`);

/** All files of a folder but temporary ones, by relative path. */
async function snapshot(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.startsWith(".tmp-")) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(folder, file), new Uint8Array(await readFile(file)));
  }
  return files;
}
