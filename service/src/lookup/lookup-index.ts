/**
 * Which entries of a log hold a digest or name a signer, on a file beside the log. It is made from the log alone, goes on
 * where it was stopped, and nothing it says is believed before the entry has been read from the tree.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { TILE_WIDTH, type LogReader } from "@bootproof/log";
import { KeyIndex } from "@bootproof/store/key-index";
import {
  digestKey,
  keysOf,
  matchEntry,
  SEARCH_ME,
  wantedKey,
  type EntryMatch,
  type Wanted,
} from "@bootproof/verify";

/** Keys of entries that are put into the index at once: some megabytes. */
const BATCH_KEYS = 65_536;
/** Candidates that are fetched from the index at once. */
const PAGE = 256;
/** Entries that one page may read in vain: those that have to be searched themselves, and claims that do not hold. */
const MAX_IN_VAIN = 256;
/** Bundles that one page may read, each of 256 entries: entries of one key may lie far apart. */
const MAX_BUNDLES = 64;
/** How long building may keep this process from everything else, in milliseconds. */
const MAX_BUSY_MS = 10;
/** A leaf comes before whatever names it, so that it is among the first. */
const MAX_LEAVES = 64;

/** An entry that has what was wanted. */
export interface LookupMatch extends EntryMatch {
  readonly index: bigint;
}

/** A part of what was found, in order. */
export interface LookupPage {
  readonly matches: readonly LookupMatch[];
  /** Entries that hold registers which this program cannot derive, and so did not search. */
  readonly unsearched: readonly bigint[];
  /** Where the next page begins; none when this is the last one. */
  readonly next: bigint | undefined;
}

/** Which part to find. */
export interface LookupRange {
  /** Entries before it are left out. */
  readonly from?: bigint;
  readonly limit: number;
}

/** An index of a log's entries; close it. */
export class LookupIndex {
  readonly #keys: KeyIndex;

  private constructor(keys: KeyIndex) {
    this.#keys = keys;
  }

  /** Opens the index at `path`, or begins it; throws StoreError. */
  static open(path: string): LookupIndex {
    return new LookupIndex(KeyIndex.open(path));
  }

  /** Whether a file is something else, which opening it would replace by an index. */
  static isForeign(path: string): boolean {
    return KeyIndex.isForeign(path);
  }

  /** How many entries it covers: those before this index. */
  get entries(): bigint {
    return this.#keys.entries;
  }

  /** Entries that may have this leaf hash: whoever asks looks into the tree. */
  leaves(leafHash: Uint8Array): bigint[] {
    return this.#keys.find(digestKey(formatHex(leafHash)), 0n, MAX_LEAVES);
  }

  /** The keys themselves, for whoever compares them with the log. */
  get keys(): KeyIndex {
    return this.#keys;
  }

  /**
   * Takes the entries that the tree has beyond those covered, and returns how many; one of another log is begun anew.
   * Ends early, with what it has taken, when the signal is aborted.
   */
  async follow(reader: LogReader, signal?: AbortSignal): Promise<bigint> {
    if (!(await this.isOf(reader))) this.#keys.clear();
    const start = this.entries;
    let batch: Uint8Array[][] = [];
    let held = 0;
    let since = performance.now();
    const flush = (): void => {
      this.#keys.append(batch);
      [batch, held] = [[], 0];
    };
    for await (const { entry } of reader.entries(start)) {
      if (signal?.aborted === true) break;
      const keys = keysOf(entry);
      batch.push(keys);
      held += keys.length;
      if (held >= BATCH_KEYS || batch.length >= PAGE) flush();
      if (performance.now() - since < MAX_BUSY_MS) continue;
      await breathe();
      since = performance.now();
    }
    if (batch.length > 0) flush();
    return this.entries - start;
  }

  /** Whether what it covers, as far as its first and last entry tell, is of this tree. */
  async isOf(reader: LogReader): Promise<boolean> {
    const covered = this.entries < reader.head.size ? this.entries : reader.head.size;
    if (covered === 0n) return true;
    for (const index of [0n, covered - 1n])
      if (!this.#keys.has(digestKey(formatHex(await reader.leafHash(index))), index)) return false;
    return true;
  }

  /** The entries that it covers and that have what is wanted, each read from the tree; throws LogError. */
  async find(reader: LogReader, wanted: Wanted, { from = 0n, limit }: LookupRange): Promise<LookupPage> {
    const covered = this.entries < reader.head.size ? this.entries : reader.head.size;
    const matches: LookupMatch[] = [];
    const unsearched: bigint[] = [];
    const bundles = new Set<bigint>();
    let since = performance.now();
    let inVain = 0;
    for (const index of this.#candidates(wanted, from)) {
      if (index >= covered) break;
      bundles.add(index / BigInt(TILE_WIDTH));
      if (matches.length >= limit || inVain >= MAX_IN_VAIN || bundles.size > MAX_BUNDLES)
        return { matches, unsearched, next: index };
      const found = matchEntry(wanted, await reader.entry(index));
      if (found === "unsearched") unsearched.push(index);
      if (found === undefined || found === "unsearched") inVain++;
      else matches.push({ index, ...found });
      if (performance.now() - since < MAX_BUSY_MS) continue;
      await breathe();
      since = performance.now();
    }
    return { matches, unsearched, next: undefined };
  }

  /** Forgets what it does not hold in its file. */
  close(): void {
    this.#keys.close();
  }

  /** Entries with the key, and those that have to be searched themselves, in order. */
  *#candidates(wanted: Wanted, from: bigint): Generator<bigint> {
    const lists = [this.#pages(wantedKey(wanted), from)];
    // Who signed an entry is always among its keys.
    if ("digest" in wanted) lists.push(this.#pages(SEARCH_ME, from));
    const heads = lists.map((list) => list.next());
    for (;;) {
      const open = heads.flatMap((head) => (head.done === true ? [] : [head.value]));
      const next = open.reduce<bigint | undefined>(
        (low, value) => (low === undefined || value < low ? value : low),
        undefined,
      );
      if (next === undefined) return;
      yield next;
      for (const [at, list] of lists.entries())
        if (heads[at]?.done !== true && heads[at]?.value === next) heads[at] = list.next();
    }
  }

  *#pages(key: Uint8Array, from: bigint): Generator<bigint, undefined> {
    for (let next = from; ;) {
      const page = this.#keys.find(key, next, PAGE);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return undefined;
      next = last + 1n;
    }
  }
}

/** Looks through entries themselves, from `from` to the end of the tree. */
export async function scan(reader: LogReader, wanted: Wanted, from = 0n): Promise<Omit<LookupPage, "next">> {
  const matches: LookupMatch[] = [];
  const unsearched: bigint[] = [];
  for await (const { index, entry } of reader.entries(from)) {
    const found = matchEntry(wanted, entry);
    if (found === "unsearched") unsearched.push(index);
    else if (found !== undefined) matches.push({ index, ...found });
  }
  return { matches, unsearched };
}

/** Lets whatever else this process does go on. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
