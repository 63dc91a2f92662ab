/**
 * The roots of the complete subtrees within a tile, each computed once: a proof asks for many of them, and the next
 * proof for most of the same.
 * @module
 */
import type { Sha256 } from "@bootproof/bytes";
import { nodeHash } from "./merkle.ts";
import { encodeTile, HASH_LENGTH } from "./tile.ts";
import { TILE_HEIGHT } from "./tile-path.ts";

/** The hashes of a tile and what is above them in it. */
export class TileNodes {
  readonly hashes: readonly Sha256[];
  /** By height, the nodes one after the other: 8 KiB for a whole tile, where an object each would take ten times that. */
  readonly #levels: Uint8Array[] = [];

  constructor(hashes: readonly Sha256[]) {
    this.hashes = hashes;
  }

  /** Root of the `index`-th subtree of 2^`height` hashes; undefined when it reaches beyond the tile. */
  subtree(height: number, index: number): Sha256 | undefined {
    if (height === 0) return this.hashes[index];
    const level = this.#level(height);
    const at = index * HASH_LENGTH;
    return at + HASH_LENGTH > level.length ? undefined : (level.subarray(at, at + HASH_LENGTH) as Sha256);
  }

  /** Root of a full tile. */
  get root(): Sha256 | undefined {
    return this.subtree(TILE_HEIGHT, 0);
  }

  #level(height: number): Uint8Array {
    return (this.#levels[height] ??= height === 0 ? encodeTile(this.hashes) : this.#above(height));
  }

  #above(height: number): Uint8Array {
    const below = this.#level(height - 1);
    const pairs = Math.floor(below.length / (2 * HASH_LENGTH));
    const level = new Uint8Array(pairs * HASH_LENGTH);
    for (let at = 0; at < level.length; at += HASH_LENGTH) {
      const middle = 2 * at + HASH_LENGTH;
      level.set(nodeHash(below.subarray(2 * at, middle), below.subarray(middle, middle + HASH_LENGTH)), at);
    }
    return level;
  }
}
