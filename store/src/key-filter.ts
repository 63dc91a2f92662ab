/**
 * A Bloom filter over keys that are digests: it says of a key that was never added, nearly always, that it was not. Its
 * size is fixed: beyond some millions of keys it helps less and less, and never says anything wrong.
 * @module
 */

/** 4 MiB: of a million keys it takes one in six thousand for known that is not. */
const BITS = 2 ** 25;
/** Bits of each key: parts of it, as a digest is random already. */
const PROBES = 4;

/** Keys that may have been added. */
export class KeyFilter {
  readonly #words = new Uint32Array(BITS / 32);

  /** Remembers a key. */
  add(key: Uint8Array): void {
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = bitOf(key, probe);
      this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
  }

  /** False when the key was not added for certain. */
  mayHave(key: Uint8Array): boolean {
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = bitOf(key, probe);
      if (((this.#words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  /** Forgets all keys. */
  clear(): void {
    this.#words.fill(0);
  }
}

/** 25 bits of the key; of a short key, zeros from its end on. */
function bitOf(key: Uint8Array, probe: number): number {
  const at = probe * 4;
  const [a = 0, b = 0, c = 0, d = 0] = [key[at], key[at + 1], key[at + 2], key[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) & (BITS - 1);
}
