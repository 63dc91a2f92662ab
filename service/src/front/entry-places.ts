/**
 * Where entries are, by their leaf hash: those that wait, those that came through here lately, and all others by an
 * index. What it says is a hint, to be verified against the tree.
 * @module
 */
import { formatHex, parseHex } from "@bootproof/bytes";

/** Finds the entries of a log that carry a digest. */
export interface LeafIndex {
  /** Indices of entries with this leaf hash, and perhaps of others. */
  find(leafHash: Uint8Array): readonly bigint[] | Promise<readonly bigint[]>;
}

const MAX_RECENT = 65_536;

/** The places of entries. */
export class EntryPlaces {
  readonly #index: LeafIndex | undefined;
  readonly #recent = new Map<string, bigint>();
  readonly #waiting = new Map<string, number>();

  constructor(index: LeafIndex | undefined) {
    this.#index = index;
  }

  /** Notes that an entry waits, and where it is once that is known. */
  follow(leafHash: Uint8Array, submitted: Promise<{ readonly index: bigint }>): void {
    const key = formatHex(leafHash);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    submitted.then(
      ({ index }) => {
        this.#note(key, index);
        this.#settle(key);
      },
      () => this.#settle(key),
    );
  }

  /** Whether an entry of this leaf hash (lower-case hex) waits here. */
  waits(leafHash: string): boolean {
    return this.#waiting.has(leafHash);
  }

  /** Where entries of this leaf hash (lower-case hex) may be. */
  async find(leafHash: string): Promise<readonly bigint[]> {
    const recent = this.#recent.get(leafHash);
    return recent === undefined
      ? ((await this.#index?.find(parseHex(leafHash, "leaf hash"))) ?? [])
      : [recent];
  }

  #note(key: string, index: bigint): void {
    const oldest = this.#recent.size < MAX_RECENT ? undefined : this.#recent.keys().next().value;
    if (oldest !== undefined) this.#recent.delete(oldest);
    this.#recent.set(key, index);
  }

  #settle(key: string): void {
    const left = (this.#waiting.get(key) ?? 1) - 1;
    if (left === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, left);
  }
}
