/**
 * Names of the files of a log, and which exist at which size. C2SP tlog-tiles v0.1.0, "Merkle Tree" and "Log Entries".
 *
 * A tile holds 256 hashes of one level, or fewer at the right edge: `tile/<level>/<index>[.p/<width>]`; a bundle holds
 * the entries under a level-0 tile: `tile/entries/<index>[.p/<width>]`. The index is written in groups of three
 * digits, every group but the last with an `x` before it: 1234067 is `x001/x234/067`.
 * @module
 */
import { parseDecimal, ParseError, quote } from "@bootproof/bytes";

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256;
/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8;
/** The one mutable file. */
export const CHECKPOINT_PATH = "checkpoint";

const MAX_LEVEL = 63;
/** Longest path parsed: six groups hold every index below 2^63 / 256. */
const MAX_PATH_LENGTH = 48;
const PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/** Which tile or bundle. */
export interface TilePath {
  /** 0 to 63, or the entries themselves. */
  readonly level: number | "entries";
  readonly index: bigint;
  /** 1 to 256; below 256 it is a partial tile. */
  readonly width: number;
}

/** The path of a tile or bundle, relative to the log's prefix. */
export function formatTilePath({ level, index, width }: TilePath): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${path}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** Parses the path of a tile or bundle, which has one spelling; throws {@link ParseError}. */
export function parseTilePath(path: string): TilePath {
  const fail = (): ParseError =>
    new ParseError("NOT_CANONICAL", "tile path", {
      expected: "tile/<level>/<index>[.p/<width>]",
      found: quote(path),
    });
  if (path.length > MAX_PATH_LENGTH) throw fail();
  const [, level, groups, width] = PATH.exec(path) ?? [];
  if (level === undefined || groups === undefined) throw fail();
  const tile: TilePath = {
    level: level === "entries" ? level : Number(level),
    index: BigInt(groups.replaceAll(/[x/]/g, "")),
    width:
      width === undefined ? TILE_WIDTH : Number(parseDecimal(width, "tile width", BigInt(TILE_WIDTH - 1))),
  };
  const inRange = tile.width > 0 && (tile.level === "entries" || tile.level <= MAX_LEVEL);
  if (!inRange || formatTilePath(tile) !== path) throw fail();
  return tile;
}

/** Hashes that `level` has in all when the tree has `size` entries. */
export function hashesAtLevel(level: number, size: bigint): bigint {
  return size >> BigInt(TILE_HEIGHT * level);
}

/** Hashes in tile `index` of `level` when the tree has `size` entries: 0 to 256. */
export function widthAt(level: number, index: bigint, size: bigint): number {
  const left = hashesAtLevel(level, size) - index * BigInt(TILE_WIDTH);
  return left <= 0n ? 0 : left >= TILE_WIDTH ? TILE_WIDTH : Number(left);
}

/** The partial tiles of a tree of `size` entries, lowest level first. */
export function partialTiles(size: bigint): readonly (TilePath & { readonly level: number })[] {
  const tiles: (TilePath & { readonly level: number })[] = [];
  for (let level = 0; hashesAtLevel(level, size) > 0n; level++) {
    const hashes = hashesAtLevel(level, size);
    const width = Number(hashes % BigInt(TILE_WIDTH));
    if (width > 0) tiles.push({ level, index: hashes / BigInt(TILE_WIDTH), width });
  }
  return tiles;
}
