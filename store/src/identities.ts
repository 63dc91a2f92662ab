/**
 * The identities of a log's entries, on a {@link KeyIndex}: what a log asks whether it has an entry already.
 * @module
 */
import { KeyIndex } from "./key-index.ts";

/** One identity an entry, by file. */
export class IdentityFile {
  readonly #keys: KeyIndex;

  private constructor(keys: KeyIndex) {
    this.#keys = keys;
  }

  /** Opens the file at `path`, making it when it is absent or cannot be relied on; throws StoreError. */
  static open(path: string): IdentityFile {
    return new IdentityFile(KeyIndex.open(path));
  }

  /** How many entries it covers. */
  get entries(): bigint {
    return this.#keys.entries;
  }

  /** The first entry of this identity. */
  find(identity: Uint8Array): bigint | undefined {
    return this.findAll([identity])[0];
  }

  /** The first entry of each of several identities. */
  findAll(identities: readonly Uint8Array[]): (bigint | undefined)[] {
    return this.#keys.firstOfEach(identities);
  }

  /** Takes the identities of the entries that follow. */
  append(identities: readonly Uint8Array[]): void {
    this.#keys.append(identities.map((identity) => [identity]));
  }

  /** Forgets everything. */
  clear(): void {
    this.#keys.clear();
  }

  /** Makes everything durable and closes the file. */
  close(): void {
    this.#keys.close();
  }
}
