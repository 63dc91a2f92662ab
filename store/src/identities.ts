/**
 * The identities of a log's entries, on a {@link KeyIndex}: what a log asks whether it has an entry already. Most entries
 * are new, so a filter in memory answers for those, and the newest identities wait in memory until there are enough of
 * them for one sorted transaction: a new entry costs microseconds. What a killed process had not written yet, `entries`
 * does not count the next time, and the log hands it in again.
 * @module
 */
import { KeyFilter } from "./key-filter.ts";
import { KeyIndex } from "./key-index.ts";

/** Identities that wait at most; writing them holds up everything else for some tens of milliseconds. */
const MAX_WAITING = 4096;
/** Keys of the file that the filter learns for each identity that is asked for, and at least. */
const LEARNED_FOR_EACH = 16;
const LEARNED_AT_ONCE = 256;

/** One identity an entry, by file. */
export class IdentityFile {
  readonly #keys: KeyIndex;
  readonly #filter = new KeyFilter();
  /** Up to which key the filter knows the file as it was opened; undefined: all of it. */
  #learnedTo: Uint8Array | undefined = new Uint8Array();
  /** Identities that are not in the file yet, in order, and the first entry of each. */
  #waiting: Uint8Array[] = [];
  readonly #waitingAt = new Map<string, bigint>();

  private constructor(keys: KeyIndex) {
    this.#keys = keys;
    if (keys.entries === 0n) this.#learnedTo = undefined;
  }

  /** Opens the file at `path`, making it when it is absent or cannot be relied on; throws StoreError. */
  static open(path: string): IdentityFile {
    return new IdentityFile(KeyIndex.open(path));
  }

  /** How many entries it covers. */
  get entries(): bigint {
    return this.#keys.entries + BigInt(this.#waiting.length);
  }

  /** The first entry of this identity. */
  find(identity: Uint8Array): bigint | undefined {
    return this.findAll([identity])[0];
  }

  /** The first entry of each of several identities. */
  findAll(identities: readonly Uint8Array[]): (bigint | undefined)[] {
    this.#learn(Math.max(LEARNED_AT_ONCE, identities.length * LEARNED_FOR_EACH));
    const found = new Array<bigint | undefined>(identities.length).fill(undefined);
    const asked = [...identities.entries()].filter(([, identity]) => this.#mayHave(identity));
    if (asked.length === 0) return found;
    const inFile = this.#keys.firstOfEach(asked.map(([, identity]) => identity));
    asked.forEach(([at, identity], nth) => {
      found[at] = inFile[nth] ?? this.#waitingAt.get(nameOf(identity));
    });
    return found;
  }

  /** Takes the identities of the entries that follow. */
  append(identities: readonly Uint8Array[]): void {
    for (const identity of identities) {
      const name = nameOf(identity);
      if (!this.#waitingAt.has(name)) this.#waitingAt.set(name, this.entries);
      this.#waiting.push(identity);
      this.#filter.add(identity);
    }
    if (this.#waiting.length >= MAX_WAITING) this.#write();
  }

  /** Forgets everything. */
  clear(): void {
    this.#keys.clear();
    this.#forgetWaiting();
    this.#filter.clear();
    this.#learnedTo = undefined;
  }

  /** Makes everything durable and closes the file. */
  close(): void {
    try {
      if (this.#waiting.length > 0) this.#write();
    } finally {
      this.#keys.close();
    }
  }

  #mayHave(identity: Uint8Array): boolean {
    return this.#learnedTo !== undefined || this.#filter.mayHave(identity);
  }

  /** Adds the next keys of the file to the filter; those that come into the file later are in it already. */
  #learn(limit: number): void {
    if (this.#learnedTo === undefined) return;
    const keys = this.#keys.keysAfter(this.#learnedTo, limit);
    for (const key of keys) this.#filter.add(key);
    this.#learnedTo = keys.length < limit ? undefined : keys.at(-1);
  }

  #write(): void {
    this.#keys.append(this.#waiting.map((identity) => [identity]));
    this.#forgetWaiting();
  }

  #forgetWaiting(): void {
    this.#waiting = [];
    this.#waitingAt.clear();
  }
}

const nameOf = (identity: Uint8Array): string =>
  Buffer.from(identity.buffer, identity.byteOffset, identity.length).toString("latin1");
