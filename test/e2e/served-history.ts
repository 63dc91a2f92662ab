/**
 * All that a served log ever told its writers and readers, and what must hold of the log afterwards: nothing that was
 * acknowledged is missing, nothing is there twice, and every checkpoint was of one and the same growing tree.
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { equalBytes, formatHex, parseUtf8, sha256 } from "@bootproof/bytes";
import {
  audit,
  fetchCheckpoint,
  formatTlogProof,
  LogReader,
  noteVerifiers,
  openCheckpoint,
  verifyConsistency,
  verifyTlogProof,
  type FetchObject,
  type NoteVerifier,
  type SignedCheckpoint,
} from "@bootproof/log";
import { expect } from "vitest";
import { numberedEntry, type Witnessed } from "./served-log.ts";

/** Of this many acknowledged entries one is proved; all are read. */
const PROVED = 64;

/** Witness of one log on a directory. */
export class ServedHistory implements Witnessed {
  readonly #vkey: string;
  readonly #origin: string;
  readonly #verifiers: readonly NoteVerifier[];
  readonly #told = new Map<number, bigint>();
  readonly #shown = new Map<string, SignedCheckpoint>();
  readonly #tiles = new Map<string, string>();
  #newest = 0n;
  #last: Uint8Array = new Uint8Array();

  constructor(vkey: string, origin: string) {
    this.#vkey = vkey;
    this.#origin = origin;
    this.#verifiers = noteVerifiers([vkey]);
  }

  get acknowledged(): number {
    return this.#told.size;
  }

  get checkpoints(): number {
    return this.#shown.size;
  }

  /** Whether entry `number` was acknowledged. */
  has(number: number): boolean {
    return this.#told.has(number);
  }

  acknowledge(number: number, index: bigint): void {
    const before = this.#told.get(number);
    if (before !== undefined && before !== index)
      throw new Error(`entry ${number} was at ${before} and is at ${index} now`);
    this.#told.set(number, index);
  }

  /** One reader: what it is shown never shrinks. */
  show(note: Uint8Array): void {
    if (equalBytes(note, this.#last)) return; // verifying it takes milliseconds
    this.#last = note;
    const checkpoint = openCheckpoint(note, this.#verifiers, this.#origin);
    expect(checkpoint.size).toBeGreaterThanOrEqual(this.#newest);
    this.#newest = checkpoint.size;
    const tree = `${checkpoint.size} ${formatHex(checkpoint.root)}`;
    if (!this.#shown.has(tree)) this.#shown.set(tree, checkpoint);
  }

  /** Holds every tile and bundle in a log's folder to what it was when seen before. */
  async seeTiles(folder: string): Promise<void> {
    const tiles = path.join(folder, "tile");
    const files = await readdir(tiles, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of files) {
      if (!entry.isFile() || entry.name.startsWith(".tmp-")) continue;
      const file = path.join(entry.parentPath, entry.name);
      const digest = formatHex(sha256(new Uint8Array(await readFile(file))));
      if ((this.#tiles.get(file) ?? digest) !== digest) throw new Error(`${file} has changed`);
      this.#tiles.set(file, digest);
    }
  }

  /** Holds a log, read through `fetch`, to everything; `numbers` below this may be in it, each at most once. */
  async expectWhole(fetch: FetchObject, numbers: number): Promise<void> {
    const head = await fetchCheckpoint(fetch, this.#verifiers, this.#origin);
    this.show(head.note);
    expect((await audit(fetch, head)).fault).toBeUndefined();
    const reader = await LogReader.open(fetch, head);
    await this.#expectEntries(reader, numbers);
    await this.#expectProvable(reader, head.note);
    for (const older of this.#shown.values()) {
      const proof = await reader.consistencyProof(older.size);
      expect([older.size, verifyConsistency(older, head, proof)]).toEqual([older.size, true]);
    }
  }

  async #expectEntries(reader: LogReader, numbers: number): Promise<void> {
    const found = new Map<number, bigint>();
    for await (const { index, entry } of reader.entries()) {
      const number = Number(/^entry ([0-9]+) /.exec(parseUtf8(entry.subarray(0, 30), "entry"))?.[1]);
      // Plain comparisons: there are tens of thousands.
      if (!(number < numbers) || Buffer.compare(entry, numberedEntry(number)) !== 0)
        throw new Error(`nobody handed in what is at ${index}`);
      const twice = found.get(number);
      if (twice !== undefined) throw new Error(`entry ${number} is at ${twice} and at ${index}`);
      found.set(number, index);
    }
    for (const [number, index] of this.#told)
      if (found.get(number) !== index)
        throw new Error(
          `entry ${number}, acknowledged at ${index}, is at ${found.get(number) ?? "no place"}`,
        );
  }

  async #expectProvable(reader: LogReader, checkpoint: Uint8Array): Promise<void> {
    const policy = { logKey: this.#vkey, origin: this.#origin };
    for (const [, index] of [...this.#told].filter((_, at) => at % PROVED === 0)) {
      const [extra, hashes] = [await reader.entry(index), await reader.inclusionProof(index)];
      const proof = formatTlogProof({ extra, index, hashes, checkpoint });
      expect([index, verifyTlogProof({ proof, policy }).answer]).toEqual([index, "yes"]);
    }
  }
}
