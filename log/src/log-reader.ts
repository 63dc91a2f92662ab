/**
 * Reads a log through its files, believing nothing but a verified checkpoint.
 * @module
 */
import { equalBytes, formatHex, type Sha256 } from "@bootproof/bytes";
import { AuthenticatedTiles, corruptObject, fetchTileObject } from "./authenticated-tiles.ts";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { makeConsistencyProof, type TreeHead } from "./consistency.ts";
import { makeInclusionProof } from "./inclusion.ts";
import { LogError } from "./log-error.ts";
import { leafHash, rangeRoot } from "./merkle.ts";
import type { NoteVerifier } from "./note.ts";
import type { RightEdge } from "./right-edge.ts";
import type { FetchObject } from "./storage.ts";
import { parseEntryBundle, type BundledEntry } from "./tile.ts";
import { CHECKPOINT_PATH, formatTilePath, TILE_WIDTH, widthAt } from "./tile-path.ts";

/** Fetches the log's current checkpoint and checks it; throws {@link LogError}. */
export async function fetchCheckpoint(
  fetch: FetchObject,
  verifiers: readonly NoteVerifier[],
  origin: string,
): Promise<SignedCheckpoint> {
  const note = await fetch(CHECKPOINT_PATH);
  if (note === undefined)
    throw new LogError("NO_LOG", "there is no log here", {
      file: CHECKPOINT_PATH,
      expected: "a checkpoint",
      found: "none",
    });
  return openCheckpoint(note, verifiers, origin);
}

/** An entry with its place in the log. */
export interface IndexedEntry {
  readonly index: bigint;
  readonly entry: Uint8Array;
}

/** Entries and proofs of the tree that one checkpoint describes; everything it returns hashes to that root. */
export class LogReader {
  readonly head: TreeHead;
  readonly #fetch: FetchObject;
  readonly #tiles: AuthenticatedTiles;
  /** The bundle read last: entries are asked for in runs. */
  #recent: { readonly number: bigint; readonly bundle: Promise<ReadBundle> } | undefined;

  private constructor(fetch: FetchObject, head: TreeHead, tiles: AuthenticatedTiles) {
    this.#fetch = fetch;
    this.head = head;
    this.#tiles = tiles;
  }

  /** Opens the tree of a verified checkpoint and checks its right edge; throws {@link LogError}. */
  static async open(fetch: FetchObject, head: TreeHead): Promise<LogReader> {
    return new LogReader(fetch, head, await AuthenticatedTiles.open(fetch, head));
  }

  /** A reader of a tree that this one has grown to, as whoever grew it says. */
  grown(head: TreeHead, edge: RightEdge): LogReader {
    return new LogReader(this.#fetch, head, this.#tiles.grown(head, edge));
  }

  /** The authenticated tiles of this tree. */
  get tiles(): AuthenticatedTiles {
    return this.#tiles;
  }

  /** The leaf hash of the entry at `index`. */
  async leafHash(index: bigint): Promise<Sha256> {
    this.#checkIndex(index);
    return this.#tiles.subtree(0, index);
  }

  /** The entry at `index`, checked against its leaf hash. */
  async entry(index: bigint): Promise<Uint8Array> {
    this.#checkIndex(index);
    const number = index / BigInt(TILE_WIDTH);
    const at = Number(index % BigInt(TILE_WIDTH));
    const [hashes, { file, entries }] = await Promise.all([this.#tiles.tile(0, number), this.#read(number)]);
    const found = entries[at];
    if (found === undefined) throw new LogError("OUT_OF_TREE", "there is no such entry");
    this.#checkEntry(file, found, hashes[at]);
    return found.entry;
  }

  /** All entries from `start` up to but not including `end`, in order. */
  async *entries(start = 0n, end: bigint = this.head.size): AsyncGenerator<IndexedEntry> {
    for (let at = start; at < end;) {
      const number = at / BigInt(TILE_WIDTH);
      const first = number * BigInt(TILE_WIDTH);
      const bundle = await this.bundle(number);
      for (const { entry } of bundle.slice(Number(at - first))) {
        if (at >= end) return;
        yield { index: at, entry };
        at += 1n;
      }
    }
  }

  /** The sibling hashes that show the entry at `index` to be in the tree of `size` entries. */
  async inclusionProof(index: bigint, size: bigint = this.head.size): Promise<Sha256[]> {
    this.#checkSize(size);
    return makeInclusionProof(this.#tiles, index, size);
  }

  /** The hashes that show the tree of `newSize` entries to begin with that of `oldSize`. */
  async consistencyProof(oldSize: bigint, newSize: bigint = this.head.size): Promise<Sha256[]> {
    this.#checkSize(newSize);
    return makeConsistencyProof(this.#tiles, oldSize, newSize);
  }

  /** Root of the tree when it had `size` entries. */
  async rootAt(size: bigint): Promise<Sha256> {
    this.#checkSize(size);
    return rangeRoot(this.#tiles, { start: 0n, end: size });
  }

  /** The entries of bundle `number`, each checked against its leaf hash; throws {@link LogError}. */
  async bundle(number: bigint): Promise<readonly BundledEntry[]> {
    const [hashes, { file, entries }] = await Promise.all([this.#tiles.tile(0, number), this.#read(number)]);
    entries.forEach((entry, at) => this.#checkEntry(file, entry, hashes[at]));
    return entries;
  }

  /** A bundle, none of whose entries has been checked. */
  async #read(number: bigint): Promise<ReadBundle> {
    if (this.#recent?.number !== number) this.#recent = { number, bundle: this.#fetchBundle(number) };
    const { bundle } = this.#recent;
    try {
      return await bundle;
    } catch (error) {
      if (this.#recent.bundle === bundle) this.#recent = undefined;
      throw error;
    }
  }

  async #fetchBundle(number: bigint): Promise<ReadBundle> {
    const width = widthAt(0, number, this.head.size);
    const { bytes, path } = await fetchTileObject(this.#fetch, { level: "entries", index: number, width });
    const file = formatTilePath(path);
    return { file, entries: parseBundle(bytes, path.width, file).slice(0, width) };
  }

  #checkEntry(file: string, { entry, offset }: BundledEntry, expected: Sha256 | undefined): void {
    const found = leafHash(entry);
    if (expected !== undefined && equalBytes(expected, found)) return;
    this.#recent = undefined; // it may be repaired
    throw new LogError("CORRUPT_OBJECT", "the entry does not hash to its leaf", {
      file,
      offset,
      expected: expected === undefined ? "no entry" : formatHex(expected),
      found: formatHex(found),
    });
  }

  #checkIndex(index: bigint): void {
    if (index < 0n || index >= this.head.size)
      throw new LogError("OUT_OF_TREE", "there is no such entry", {
        expected: `an index below ${this.head.size}`,
        found: String(index),
      });
  }

  #checkSize(size: bigint): void {
    if (size < 0n || size > this.head.size)
      throw new LogError("OUT_OF_TREE", "the tree is not that large yet", {
        expected: `a size of at most ${this.head.size}`,
        found: String(size),
      });
  }
}

function parseBundle(bytes: Uint8Array, width: number, file: string): readonly BundledEntry[] {
  try {
    return parseEntryBundle(bytes, width);
  } catch (error) {
    throw corruptObject(error, file);
  }
}

interface ReadBundle {
  readonly file: string;
  readonly entries: readonly BundledEntry[];
}
