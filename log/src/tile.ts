/**
 * What is in a tile (32-byte hashes, one after the other) and in an entry bundle (u16 length and bytes of each entry).
 * C2SP tlog-tiles v0.1.0.
 * @module
 */
import { asDigest, ByteReader, ByteWriter, concatBytes, ParseError, type Sha256 } from "@bootproof/bytes";
import { LogError } from "./log-error.ts";
import { TILE_WIDTH } from "./tile-path.ts";

/** Length of a hash in a tile, in bytes. */
export const HASH_LENGTH = 32;
/** Longest entry: its length is a u16. */
export const MAX_ENTRY_LENGTH = 0xffff;

/** The bytes of a tile. */
export const encodeTile = (hashes: readonly Sha256[]): Uint8Array<ArrayBuffer> => concatBytes(...hashes);

/** The `width` hashes of a tile; throws {@link ParseError} when the length is not theirs. */
export function parseTile(bytes: Uint8Array, width: number): Sha256[] {
  const reader = new ByteReader(bytes);
  const hashes = Array.from({ length: width }, (_, index) =>
    asDigest("sha256", reader.bytes(HASH_LENGTH, `tile hash ${index}`)),
  );
  reader.end("tile");
  return hashes;
}

/** The bytes of a bundle of 1 to 256 entries. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  for (const entry of entries) {
    checkEntryLength(entry);
    writer.u16be(entry.length).bytes(entry);
  }
  return writer.finish();
}

/** An entry and where its bytes start in its bundle. */
export interface BundledEntry {
  readonly entry: Uint8Array;
  readonly offset: number;
}

/** The `width` entries of a bundle; throws {@link ParseError} for fewer, for more, and for a bundle of none. */
export function parseEntryBundle(bytes: Uint8Array, width: number): BundledEntry[] {
  if (width < 1 || width > TILE_WIDTH)
    throw new ParseError("OUT_OF_RANGE", "entry bundle", {
      expected: `1 to ${TILE_WIDTH} entries`,
      found: String(width),
    });
  const reader = new ByteReader(bytes);
  const entries = Array.from({ length: width }, (_, index) => {
    const length = reader.u16be(`length of entry ${index}`);
    const { offset } = reader;
    return { entry: reader.bytes(length, `entry ${index}`), offset };
  });
  reader.end("entry bundle");
  return entries;
}

/** Demands an entry that fits a bundle; throws {@link LogError}. */
export function checkEntryLength(entry: Uint8Array): void {
  if (entry.length > MAX_ENTRY_LENGTH)
    throw new LogError("ENTRY_TOO_LARGE", "the entry is too large for a log", {
      expected: `at most ${MAX_ENTRY_LENGTH} bytes`,
      found: String(entry.length),
      hint: "log a digest and keep the bytes elsewhere",
    });
}
