/**
 * Copies a log, so that what it published stays readable when its operator is gone. Every file is verified against a
 * signed checkpoint before it is written, and the checkpoint is written last: whenever this stops, the copy is a log
 * that holds everything of the checkpoint it shows. What it wrote before it was stopped is not fetched again.
 * @module
 */
import { equalBytes, formatHex, ParseError } from "@bootproof/bytes";
import type { SignedCheckpoint } from "./checkpoint.ts";
import { LogError } from "./log-error.ts";
import { LogReader } from "./log-reader.ts";
import { leafHash } from "./merkle.ts";
import type { FetchObject, ObjectStore } from "./storage.ts";
import { encodeEntryBundle, encodeTile, parseEntryBundle } from "./tile.ts";
import {
  CHECKPOINT_PATH,
  formatTilePath,
  hashesAtLevel,
  TILE_WIDTH,
  widthAt,
  type TilePath,
} from "./tile-path.ts";

/** Bundles under way at once, unless the caller says otherwise: the largest are of 16 MiB. */
const JOBS = 8;
const WIDTH = BigInt(TILE_WIDTH);

/** What to copy, and where to. */
export interface MirrorOptions {
  /** The files of the log. */
  readonly fetch: FetchObject;
  /** Its checkpoint, with verified signatures. */
  readonly head: SignedCheckpoint;
  /** The copy. */
  readonly objects: ObjectStore;
  /** The checkpoint that the copy shows now, with verified signatures. */
  readonly current?: SignedCheckpoint;
  /** The note to show with the copy; by default that of the log. A mirror may add its cosignature. */
  readonly note?: Uint8Array;
  /** Bundles under way at once. */
  readonly jobs?: number;
  /** Called with the number of entries that are in the copy so far. */
  readonly onProgress?: (entries: bigint) => void;
  /** Called before the checkpoint is replaced; throws to prevent it. */
  readonly confirm?: () => Promise<void>;
}

/** What was copied. */
export interface MirrorReport {
  /** Size of the log, and now of its copy. */
  readonly size: bigint;
  /** Size of the copy before. */
  readonly from: bigint;
  /** Bundles and tiles written. */
  readonly written: number;
  /** Bundles that an earlier run had written already. */
  readonly kept: number;
}

/** Brings a copy of a log to a checkpoint; throws LogError, and leaves the copy as it was, when anything is wrong. */
export async function mirrorLog(options: MirrorOptions): Promise<MirrorReport> {
  const { fetch, head, objects, current, confirm } = options;
  const reader = await LogReader.open(fetch, head);
  if (current !== undefined) await refuseOtherTree(current, reader);
  const copy = new Copy(objects, reader);
  const from = current?.size ?? 0n;
  await copy.bundles(from / WIDTH, options);
  await copy.upperTiles(from);
  await objects.putMutable(CHECKPOINT_PATH, options.note ?? head.note, confirm);
  return { size: head.size, from, written: copy.written, kept: copy.kept };
}

class Copy {
  readonly #objects: ObjectStore;
  readonly #reader: LogReader;
  written = 0;
  kept = 0;

  constructor(objects: ObjectStore, reader: LogReader) {
    this.#objects = objects;
    this.#reader = reader;
  }

  /** Copies bundles, and the tiles above them, from the `first`-th on, several at once. */
  async bundles(first: bigint, { jobs = JOBS, onProgress }: MirrorOptions): Promise<void> {
    const { size } = this.#reader.head;
    let next = first;
    let failed = false;
    const work = async (): Promise<void> => {
      while (!failed && next * WIDTH < size) {
        const number = next++;
        try {
          await this.#bundle(number);
        } catch (error) {
          failed = true;
          throw error;
        }
        const end = (number + 1n) * WIDTH;
        onProgress?.(end < size ? end : size);
      }
    };
    const done = await Promise.allSettled(Array.from({ length: jobs }, work));
    for (const one of done) if (one.status === "rejected") throw one.reason;
  }

  /** Copies the tiles of level 1 and up that the tree has and a tree of `from` entries has not. */
  async upperTiles(from: bigint): Promise<void> {
    const { size } = this.#reader.head;
    for (let level = 1; hashesAtLevel(level, size) > 0n; level++)
      for (let index = hashesAtLevel(level, from) / WIDTH; widthAt(level, index, size) > 0; index++)
        await this.#tile(level, index);
  }

  async #bundle(number: bigint): Promise<void> {
    const width = widthAt(0, number, this.#reader.head.size);
    const path: TilePath = { level: "entries", index: number, width };
    if (await this.#isThere(path)) this.kept++;
    else {
      const entries = await this.#reader.bundle(number);
      await this.#put(path, encodeEntryBundle(entries.map(({ entry }) => entry)));
    }
    await this.#tile(0, number);
  }

  async #tile(level: number, index: bigint): Promise<void> {
    const hashes = await this.#reader.tiles.tile(level, index);
    await this.#put({ level, index, width: hashes.length }, encodeTile(hashes));
  }

  /** Whether an earlier run left this very bundle. */
  async #isThere(path: TilePath): Promise<boolean> {
    const bytes = await this.#objects.get(formatTilePath(path));
    if (bytes === undefined) return false;
    const hashes = await this.#reader.tiles.tile(0, path.index);
    try {
      const entries = parseEntryBundle(bytes, path.width);
      return entries.every(({ entry }, at) => {
        const hash = hashes[at];
        return hash !== undefined && equalBytes(hash, leafHash(entry));
      });
    } catch (error) {
      if (error instanceof ParseError) return false;
      throw error;
    }
  }

  /** Writes a file that no checkpoint of the copy implies yet: what is there is a leftover, and may be of another tree. */
  async #put(path: TilePath, bytes: Uint8Array): Promise<void> {
    const key = formatTilePath(path);
    const there = await this.#objects.get(key);
    if (there !== undefined && equalBytes(there, bytes)) return;
    if (there !== undefined) await this.#objects.delete(key);
    await this.#objects.putImmutable(key, bytes);
    this.written++;
  }
}

async function refuseOtherTree(current: SignedCheckpoint, reader: LogReader): Promise<void> {
  const { head } = reader;
  if (head.size < current.size)
    throw new LogError("ROLLBACK", "the log is smaller than its copy", {
      file: CHECKPOINT_PATH,
      expected: `a size of at least ${current.size}`,
      found: String(head.size),
    });
  const root = await reader.rootAt(current.size);
  if (!equalBytes(root, current.root))
    throw new LogError("FORK", `the first ${current.size} entries of the log are not those of its copy`, {
      file: CHECKPOINT_PATH,
      expected: formatHex(current.root),
      found: formatHex(root),
    });
}
