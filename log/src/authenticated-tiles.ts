/**
 * Reads tiles so that none is believed before it hashes into a verified root: first the tiles of the right edge,
 * whose hashes together make the root; then every full tile against its entry in an authenticated parent. This is how
 * Go's x/mod reads tiles. Reading a hash here is as good as checking a proof of it.
 * @module
 */
import { equalBytes, formatHex, ParseError, type Sha256 } from "@bootproof/bytes";
import type { TreeHead } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import type { HashSource } from "./merkle.ts";
import { RightEdge } from "./right-edge.ts";
import type { FetchObject } from "./storage.ts";
import { HASH_LENGTH, parseTile } from "./tile.ts";
import { TileNodes } from "./tile-nodes.ts";
import {
  formatTilePath,
  partialTiles,
  TILE_HEIGHT,
  TILE_WIDTH,
  widthAt,
  type TilePath,
} from "./tile-path.ts";

/** Full tiles kept in memory, some 30 KiB each with what is computed of them, so that memory stays flat however large the tree. */
const MAX_CACHED_TILES = 512;

type HashTilePath = TilePath & { readonly level: number };

/** The tiles of one tree, each authenticated before use. */
export class AuthenticatedTiles implements HashSource {
  readonly #fetch: FetchObject;
  readonly #head: TreeHead;
  readonly #edge: ReadonlyMap<number, TileNodes>;
  readonly #full: Map<string, Promise<TileNodes>>;

  private constructor(
    fetch: FetchObject,
    head: TreeHead,
    edge: ReadonlyMap<number, TileNodes>,
    full = new Map<string, Promise<TileNodes>>(),
  ) {
    this.#fetch = fetch;
    this.#head = head;
    this.#edge = edge;
    this.#full = full;
  }

  /** Reads the right edge of the tree and checks that it hashes to the root; throws {@link LogError}. */
  static async open(fetch: FetchObject, head: TreeHead): Promise<AuthenticatedTiles> {
    const paths = partialTiles(head.size);
    const tiles = await Promise.all(paths.map((path) => fetchTile(fetch, path)));
    const edge = new Map(paths.map(({ level }, at) => [level, new TileNodes(tiles[at] ?? [])]));
    const tree = new AuthenticatedTiles(fetch, head, edge);
    const root = tree.rightEdge().root();
    if (!equalBytes(root, head.root))
      throw new LogError("CORRUPT_OBJECT", "the tiles of the right edge do not hash to the root", {
        file: paths.map(formatTilePath).join(", "),
        expected: formatHex(head.root),
        found: formatHex(root),
      });
    return tree;
  }

  /** The tiles of a tree that this one has grown to, as whoever grew it says: what is full stays as it is. */
  grown(head: TreeHead, edge: RightEdge): AuthenticatedTiles {
    return new AuthenticatedTiles(this.#fetch, head, nodesOf(edge), this.#full);
  }

  /** The right edge, ready to grow. */
  rightEdge(): RightEdge {
    const levels: (readonly Sha256[])[] = [];
    for (const [level, { hashes }] of this.#edge) levels[level] = hashes;
    return new RightEdge(this.#head.size, levels);
  }

  /** The authenticated hashes of a tile, as many as the tree has; throws {@link LogError}. */
  async tile(level: number, index: bigint): Promise<readonly Sha256[]> {
    return (await this.#nodes(level, index)).hashes;
  }

  async subtree(height: number, index: bigint): Promise<Sha256> {
    const level = Math.floor(height / TILE_HEIGHT);
    const within = height % TILE_HEIGHT;
    const first = index << BigInt(within);
    const nodes = await this.#nodes(level, first / BigInt(TILE_WIDTH));
    const root = nodes.subtree(within, Number(first % BigInt(TILE_WIDTH)) >> within);
    if (root === undefined)
      throw new LogError("OUT_OF_TREE", "the subtree reaches beyond the tree", { found: `height ${height}` });
    return root;
  }

  async #nodes(level: number, index: bigint): Promise<TileNodes> {
    const width = widthAt(level, index, this.#head.size);
    if (width === 0)
      throw new LogError("OUT_OF_TREE", `the tree has no tile ${index} on level ${level}`, {
        expected: `a tree of more than ${this.#head.size} entries`,
      });
    if (width < TILE_WIDTH) return this.#edge.get(level) ?? new TileNodes([]);
    const key = `${level}/${index}`;
    const known = this.#full.get(key);
    if (known !== undefined) return known;
    const tile = this.#authenticate({ level, index, width });
    this.#remember(key, tile);
    return tile;
  }

  async #authenticate(path: HashTilePath): Promise<TileNodes> {
    const parent = await this.tile(path.level + 1, path.index / BigInt(TILE_WIDTH));
    const expected = parent[Number(path.index % BigInt(TILE_WIDTH))];
    const nodes = new TileNodes(await fetchTile(this.#fetch, path));
    const found = nodes.root;
    if (expected === undefined || found === undefined || !equalBytes(expected, found))
      throw new LogError("CORRUPT_OBJECT", "the tile does not hash to its entry in the tile above", {
        file: formatTilePath(path),
        expected: expected === undefined ? "no tile" : formatHex(expected),
        found: formatHex(found ?? new Uint8Array()),
      });
    return nodes;
  }

  #remember(key: string, tile: Promise<TileNodes>): void {
    const oldest = this.#full.size < MAX_CACHED_TILES ? undefined : this.#full.keys().next().value;
    if (oldest !== undefined) this.#full.delete(oldest);
    this.#full.set(key, tile);
    // A tile that failed may be there the next time; who asked for it gets the error.
    tile.catch(() => this.#full.delete(key));
  }
}

function nodesOf({ levels }: RightEdge): ReadonlyMap<number, TileNodes> {
  return new Map(levels.map((hashes, level) => [level, new TileNodes(hashes)]));
}

/** Fetches a tile or bundle; a partial one may have been replaced by the full one. Throws {@link LogError}. */
export async function fetchTileObject(
  fetch: FetchObject,
  path: TilePath,
): Promise<{ readonly bytes: Uint8Array; readonly path: TilePath }> {
  for (const width of new Set([path.width, TILE_WIDTH])) {
    const bytes = await fetch(formatTilePath({ ...path, width }));
    if (bytes !== undefined) return { bytes, path: { ...path, width } };
  }
  const file = formatTilePath(path);
  throw new LogError("MISSING_OBJECT", `the log has no ${file}`, { file, expected: "a file", found: "none" });
}

async function fetchTile(fetch: FetchObject, wanted: HashTilePath): Promise<readonly Sha256[]> {
  const { bytes, path } = await fetchTileObject(fetch, wanted);
  if (bytes.length !== path.width * HASH_LENGTH)
    throw new LogError("CORRUPT_OBJECT", "the tile has another length", {
      file: formatTilePath(path),
      offset: Math.min(bytes.length, path.width * HASH_LENGTH),
      expected: `${path.width * HASH_LENGTH} bytes`,
      found: String(bytes.length),
    });
  return parseTile(bytes, path.width).slice(0, wanted.width);
}

/** Turns a parser's complaint about an object into one that names the file. */
export function corruptObject(error: unknown, file: string): unknown {
  if (!(error instanceof ParseError)) return error;
  const { offset, expected, found } = error;
  return new LogError("CORRUPT_OBJECT", error.message, {
    file,
    cause: error,
    ...(offset === undefined ? {} : { offset }),
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  });
}
