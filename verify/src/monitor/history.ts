/**
 * What came before an entry: earlier entries by key. The index lies on disk, because a log of a million entries must
 * not need memory for all of them; keys of the batch under way are held back until it is done.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { watchedEntry, type WatchedEntry } from "./watched-entry.ts";

/** Keys of the entries so far; `KeyIndex` of @bootproof/store is one. What it finds is a hint. */
export interface MonitorIndex {
  /** How many entries it covers. */
  readonly entries: bigint;
  /** Adds the keys of the entries that follow. */
  append(keysOfEach: readonly (readonly Uint8Array[])[]): void | Promise<void>;
  /** Indices of the entries under a key, in ascending order. */
  find(key: Uint8Array): readonly bigint[] | Promise<readonly bigint[]>;
}

/** Reads an entry of the log again. */
export type ReadAgain = (index: bigint) => Promise<Uint8Array>;

/** Earlier entries, as a rule sees them while one entry is judged. */
export class History {
  readonly #index: MonitorIndex;
  readonly #readAgain: ReadAgain;
  /** Keys of the entries from the index's end on, not in it yet. */
  readonly #held: Uint8Array[][] = [];
  readonly #byKey = new Map<string, bigint[]>();
  readonly #entries = new Map<bigint, WatchedEntry>();

  constructor(index: MonitorIndex, readAgain: ReadAgain) {
    this.#index = index;
    this.#readAgain = readAgain;
  }

  /** Entries before `below` that are found under a key, in ascending order. */
  async find(key: Uint8Array, below: bigint): Promise<bigint[]> {
    const found = (await this.#index.find(key)).filter((index) => index < below);
    const held = this.#byKey.get(formatHex(key)) ?? [];
    return held.length === 0 ? found : [...new Set([...found, ...held.filter((index) => index < below)])];
  }

  /** An earlier entry. */
  async entry(index: bigint): Promise<WatchedEntry> {
    return this.#entries.get(index) ?? watchedEntry({ index, entry: await this.#readAgain(index) });
  }

  /** Lets later entries of the batch find this one. */
  add(entry: WatchedEntry, keys: Uint8Array[]): void {
    this.#entries.set(entry.index, entry);
    // An index that is ahead of the state, as after being killed, has the entry already.
    if (entry.index < this.#index.entries) return;
    this.#held.push(keys);
    for (const key of keys) {
      const text = formatHex(key);
      this.#byKey.set(text, [...(this.#byKey.get(text) ?? []), entry.index]);
    }
  }

  /** Puts the batch into the index. */
  async save(): Promise<void> {
    if (this.#held.length > 0) await this.#index.append(this.#held);
  }
}
