import { formatHex, ParseError, parseHex } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectParserToSurvive, readVectors } from "./hostile.testing.ts";
import { LogError } from "./log-error.ts";
import { encodeEntryBundle, encodeTile, parseEntryBundle, parseTile } from "./tile.ts";

interface Case {
  readonly name: string;
  readonly hex?: string;
  readonly entries_hex?: readonly string[];
  readonly len?: number;
  readonly ok: boolean;
}
const { cases } = readVectors<{ cases: readonly Case[] }>("tiles/bundles.json");
const spelled = cases.filter(({ hex }) => hex !== undefined);

describe("entry bundles and tiles: bytes that read as other entries than were logged", () => {
  it.each(spelled.map((vector) => [vector.name, vector] as const))(
    "decides: %s",
    (_, { hex, ok, entries_hex: want }) => {
      const bytes = parseHex(hex!, "bundle");
      const count = want?.length ?? 1;
      if (!ok) {
        expect(() => parseEntryBundle(bytes, count)).toThrow(ParseError);
        return;
      }
      const entries = parseEntryBundle(bytes, count).map(({ entry }) => entry);
      expect(entries.map((entry) => formatHex(entry))).toEqual(want);
      expect(formatHex(encodeEntryBundle(entries))).toBe(hex);
    },
  );

  it("takes entries of 0 and of 65535 bytes, and none larger", () => {
    const longest = new Uint8Array(65_535);
    expect(
      parseEntryBundle(encodeEntryBundle([longest, new Uint8Array()]), 2).map(({ entry }) => entry.length),
    ).toEqual([65_535, 0]);
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(LogError);
  });

  it("takes neither a bundle of no entries nor one of 257", () => {
    expect(() => parseEntryBundle(new Uint8Array(), 0)).toThrow(ParseError);
    expect(() => parseEntryBundle(new Uint8Array(2 * 257), 257)).toThrow(ParseError);
    expect(parseEntryBundle(new Uint8Array(2 * 256), 256)).toHaveLength(256);
  });

  it("reads back what it writes, and refuses one entry more or less", () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(entries, (given) => {
        const bytes = encodeEntryBundle(given);
        expect(parseEntryBundle(bytes, given.length).map(({ entry }) => formatHex(entry))).toEqual(
          given.map((entry) => formatHex(entry)),
        );
        expect(() => parseEntryBundle(bytes, given.length + 1)).toThrow(ParseError);
        expect(() => parseEntryBundle(bytes, given.length - 1)).toThrow(ParseError);
      }),
    );
  });

  it("reads a tile of exactly its width", () => {
    const tile = Uint8Array.from({ length: 96 }, (_, at) => at);
    expect(formatHex(encodeTile(parseTile(tile, 3)))).toBe(formatHex(tile));
    for (const width of [2, 4]) expect(() => parseTile(tile, width)).toThrow(ParseError);
  });

  it("survives any bytes", () => {
    const sample = encodeEntryBundle([Uint8Array.of(1, 2, 3), new Uint8Array(), new Uint8Array(300)]);
    expectParserToSurvive((bytes) => parseEntryBundle(bytes, 3), sample);
    expectParserToSurvive((bytes) => parseTile(bytes, 3), new Uint8Array(96));
  });
});
