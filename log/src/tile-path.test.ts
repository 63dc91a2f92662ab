import { ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectParserToSurvive, readVectors } from "./hostile.testing.ts";
import { formatTilePath, parseTilePath, partialTiles, hashesAtLevel, type TilePath } from "./tile-path.ts";

interface Case {
  readonly level?: number | "entries";
  readonly index: number;
  readonly width: number;
  readonly path: string;
}
const vectors = readVectors<{
  tile: readonly Case[];
  entries: readonly Case[];
  invalid: readonly string[];
}>("tiles/paths.json");
const layouts =
  readVectors<
    Record<string, { full_tiles_per_level: Record<string, number>; partial_tiles: readonly string[] }>
  >("tiles/layout-by-size.json");

describe("tile paths: a reader and a log that name a file differently never meet", () => {
  it.each([...vectors.tile, ...vectors.entries].map((vector) => [vector.path, vector] as const))(
    "reads and prints %s",
    (path, { level = "entries", index, width }) => {
      const tile: TilePath = { level, index: BigInt(index), width };
      expect(parseTilePath(path)).toEqual(tile);
      expect(formatTilePath(tile)).toBe(path);
    },
  );

  it.each(vectors.invalid)("refuses %s", (path) => {
    expect(() => parseTilePath(path)).toThrow(ParseError);
  });

  it("prints back every path it reads", () => {
    const tile = fc.record({
      level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant("entries" as const)),
      index: fc.bigInt({ min: 0n, max: (1n << 55n) - 1n }),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(tile, (path) => {
        expect(parseTilePath(formatTilePath(path))).toEqual(path);
      }),
    );
  });

  it("survives any bytes", () => {
    expectParserToSurvive(
      (bytes) => parseTilePath(parseUtf8(bytes, "path")),
      utf8("tile/0/x001/x234/067.p/89"),
    );
  });

  it.each(Object.entries(layouts))(
    "lays out a tree of %s entries as the specification does",
    (text, layout) => {
      const size = BigInt(text);
      expect(partialTiles(size).map(formatTilePath)).toEqual(layout.partial_tiles);
      for (let level = 0; level < 8; level++)
        expect(hashesAtLevel(level, size) / 256n).toBe(BigInt(layout.full_tiles_per_level[level] ?? 0));
    },
  );
});
