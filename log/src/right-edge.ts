/**
 * The right edge of a growing tree: on each level the hashes since its last full tile. They are all that is needed to
 * append entries and to compute the root; at most 255 hashes a level.
 * @module
 */
import type { Sha256 } from "@bootproof/bytes";
import { completeRoot, EMPTY_ROOT, joinSubtrees } from "./merkle.ts";
import { encodeTile } from "./tile.ts";
import { hashesAtLevel, partialTiles, TILE_WIDTH, type TilePath } from "./tile-path.ts";

/** A tile and its bytes. */
export interface TileObject {
  readonly path: TilePath & { readonly level: number };
  readonly bytes: Uint8Array;
}

/** Grows a tree leaf by leaf. */
export class RightEdge {
  readonly #levels: Sha256[][];
  #size: bigint;

  /** `levels` are the hashes of the partial tiles of a tree of `size` entries; an absent level has none. */
  constructor(size = 0n, levels: readonly (readonly Sha256[] | undefined)[] = []) {
    this.#size = size;
    this.#levels = Array.from(levels, (hashes) => [...(hashes ?? [])]);
  }

  /** Entries in the tree. */
  get size(): bigint {
    return this.#size;
  }

  /** The hashes of its partial tiles, by level. */
  get levels(): readonly (readonly Sha256[])[] {
    return this.#levels;
  }

  /** An edge that grows on its own. */
  copy(): RightEdge {
    return new RightEdge(this.#size, this.#levels);
  }

  /** Appends a leaf and returns the tiles that became full, lowest level first. */
  append(leaf: Sha256): TileObject[] {
    this.#size += 1n;
    const full: TileObject[] = [];
    let hash = leaf;
    for (let level = 0; ; level++) {
      const hashes = (this.#levels[level] ??= []);
      hashes.push(hash);
      if (hashes.length < TILE_WIDTH) return full;
      const index = hashesAtLevel(level, this.#size) / BigInt(TILE_WIDTH) - 1n;
      full.push({ path: { level, index, width: TILE_WIDTH }, bytes: encodeTile(hashes) });
      hash = completeRoot(hashes);
      this.#levels[level] = [];
    }
  }

  /** The partial tiles, lowest level first. */
  partials(): TileObject[] {
    return partialTiles(this.#size).map((path) => ({
      path,
      bytes: encodeTile(this.#levels[path.level] ?? []),
    }));
  }

  /** Root of the tree. */
  root(): Sha256 {
    const subtrees = this.#levels.toReversed().flatMap((hashes) => completeSubtrees(hashes));
    return subtrees.length === 0 ? EMPTY_ROOT : joinSubtrees(subtrees);
  }
}

/** Roots of the complete subtrees of a partial tile: one for each binary digit of its width, largest first. */
function completeSubtrees(hashes: readonly Sha256[]): Sha256[] {
  const roots: Sha256[] = [];
  for (let width = TILE_WIDTH / 2, at = 0; width >= 1; width /= 2)
    if ((hashes.length & width) !== 0) {
      roots.push(completeRoot(hashes.slice(at, at + width)));
      at += width;
    }
  return roots;
}
