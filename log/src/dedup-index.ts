/**
 * Which entries are in the log already, by identity. It is a hint: an answer counts only after the entry at that
 * index has been read from the tree and found to have this identity, so a damaged or forged index cannot make the
 * log promise an entry it does not hold; at worst one entry is logged twice.
 *
 * Persisted as `dedup/<path of a full bundle>`: 256 identities of 32 bytes. A missing one is made from its bundle, and
 * the last, partial bundle is always read anew, so no crash can leave the index behind the log.
 * @module
 */
import { ByteReader, concatBytes, sha256, type Sha256 } from "@bootproof/bytes";
import type { LogReader } from "./log-reader.ts";
import type { ObjectStore } from "./storage.ts";
import { HASH_LENGTH } from "./tile.ts";
import { formatTilePath, TILE_WIDTH } from "./tile-path.ts";

/** What makes two entries the same; handed in by whoever knows what is logged. */
export type Identity = (entry: Uint8Array) => Sha256;

/** Entries are the same when their bytes are. */
export const byBytes: Identity = sha256;

/** Identities of all entries of a log. */
export class DedupIndex {
  readonly #staging: ObjectStore;
  readonly #indices = new Map<number, number>();
  #partial: Sha256[] = [];
  #size = 0n;

  private constructor(staging: ObjectStore) {
    this.#staging = staging;
  }

  /** Loads the index of the log that `reader` reads, and completes what is missing. */
  static async load(staging: ObjectStore, reader: LogReader, identity: Identity): Promise<DedupIndex> {
    const index = new DedupIndex(staging);
    const { size } = reader.head;
    for (let number = 0n; number * BigInt(TILE_WIDTH) < size; number++) {
      const full = (number + 1n) * BigInt(TILE_WIDTH) <= size;
      const stored = full ? await staging.get(dedupKey(number)) : undefined;
      if (stored?.length === TILE_WIDTH * HASH_LENGTH) index.#take(splitIdentities(stored));
      else await index.add((await reader.bundle(number)).map(({ entry }) => identity(entry)));
    }
    return index;
  }

  /** Where an entry of this identity probably is. */
  find(identity: Sha256): bigint | undefined {
    const index = this.#indices.get(shortKey(identity));
    return index === undefined ? undefined : BigInt(index);
  }

  /** Takes the identities of the entries that follow those known so far. */
  async add(identities: readonly Sha256[]): Promise<void> {
    for (const identity of identities) {
      this.#indices.set(shortKey(identity), Number(this.#size));
      this.#size += 1n;
      this.#partial.push(identity);
      if (this.#partial.length === TILE_WIDTH) await this.#save();
    }
  }

  #take(identities: readonly Sha256[]): void {
    for (const identity of identities) {
      this.#indices.set(shortKey(identity), Number(this.#size));
      this.#size += 1n;
    }
  }

  async #save(): Promise<void> {
    const identities = this.#partial;
    this.#partial = [];
    await this.#staging.putMutable(
      dedupKey(this.#size / BigInt(TILE_WIDTH) - 1n),
      concatBytes(...identities),
    );
  }
}

function dedupKey(number: bigint): string {
  return formatTilePath({ level: "entries", index: number, width: TILE_WIDTH }).replace(
    "tile/entries",
    "dedup",
  );
}

/** 48 bits are enough for a hint that is checked, and keep a million entries in tens of megabytes. */
function shortKey(identity: Sha256): number {
  const reader = new ByteReader(identity);
  return reader.u32be("identity") * 0x1_0000 + reader.u16be("identity");
}

function splitIdentities(bytes: Uint8Array): Sha256[] {
  return Array.from(
    { length: bytes.length / HASH_LENGTH },
    (_, index) => bytes.subarray(index * HASH_LENGTH, (index + 1) * HASH_LENGTH) as Sha256,
  );
}
