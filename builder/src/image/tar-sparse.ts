/**
 * Files with holes: GNU tar manual, "Storing Sparse Files", the old GNU format and pax formats 0.0, 0.1 and 1.0.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { byteText, type ByteText, show } from "./byte-text.ts";
import { BLOCK, parseNumber } from "./tar-header.ts";
import type { PaxRecords } from "./tar-pax.ts";

/** Bytes of a file that are in the tar; what no extent covers is zero. */
export interface Extent {
  /** Offset in the file. */
  readonly offset: number;
  readonly length: number;
  /** Where the bytes lie in the tar. */
  readonly position: number;
}

/** A sparse file's map: its true size, and its extents. */
export interface SparseMap {
  readonly size: number;
  readonly extents: readonly Extent[];
}

/** Where the stored bytes of a sparse file lie. */
export interface StoredBytes {
  readonly position: number;
  readonly size: number;
}

type Read = (position: number, length: number) => Uint8Array;
type Pair = readonly [offset: number, length: number];

/** The map of GNU's format 1.0 is text before the data; no tool writes a longer one. */
const MAX_MAP = 2 ** 20;
const MAX_BLOCKS = MAX_MAP / BLOCK;

/** The map of an old GNU header of type S, and where the data begin: behind the blocks that continue the map. */
export function readGnuSparse(
  read: Read,
  headerAt: number,
  stored: number,
): { readonly map: SparseMap; readonly dataAt: number } {
  const header = read(headerAt, BLOCK).slice();
  const size = parseNumber(header.subarray(483, 495), "real size", headerAt + 483);
  const pairs = gnuPairs(header.subarray(386, 482), headerAt + 386);
  let dataAt = headerAt + BLOCK;
  for (let more = header[482] !== 0, count = 0; more; count++, dataAt += BLOCK) {
    const block = read(dataAt, BLOCK);
    if (block.length < BLOCK || count >= MAX_BLOCKS)
      throw new ParseError("TOO_LARGE", "sparse map", { offset: dataAt });
    pairs.push(...gnuPairs(block.subarray(0, 504), dataAt));
    more = block[504] !== 0;
  }
  return { map: place(pairs, size, { position: dataAt, size: stored }), dataAt };
}

function gnuPairs(bytes: Uint8Array, offset: number): Pair[] {
  const pairs: Pair[] = [];
  for (let at = 0; at < bytes.length && bytes[at] !== 0; at += 24)
    pairs.push([
      parseNumber(bytes.subarray(at, at + 12), "sparse offset", offset + at),
      parseNumber(bytes.subarray(at + 12, at + 24), "sparse length", offset + at + 12),
    ]);
  return pairs;
}

/** The map that pax records give, if they give one. */
export function readPaxSparse(
  read: Read,
  { values, sparse }: PaxRecords,
  stored: StoredBytes,
): SparseMap | undefined {
  const number = (key: string): number => decimal(values.get(key) ?? "", key, stored.position);
  const major = values.get("GNU.sparse.major");
  const map = values.get("GNU.sparse.map");
  if (major === "1" && values.get("GNU.sparse.minor") === "0") {
    const { numbers, dataAt } = readTextMap(read, stored);
    const rest = { position: dataAt, size: stored.size - (dataAt - stored.position) };
    return place(asPairs(numbers), number("GNU.sparse.realsize"), rest);
  }
  if (major !== undefined && major !== "0")
    throw new ParseError("UNSUPPORTED", "sparse format", { offset: stored.position, found: show(major) });
  if (map === undefined && !values.has("GNU.sparse.size")) return undefined;
  const list = map === undefined ? sparse : map === "" ? [] : map.split(",");
  return place(
    asPairs(list.map((text) => decimal(text, "map", stored.position))),
    number("GNU.sparse.size"),
    stored,
  );
}

/** Format 1.0: the count and the pairs as decimal lines, filled up to whole blocks. */
function readTextMap(read: Read, { position, size }: StoredBytes): { numbers: number[]; dataAt: number } {
  const text = byteText(read(position, Math.min(size, MAX_MAP)));
  const numbers: number[] = [];
  let [at, wanted] = [0, 1];
  while (numbers.length < wanted) {
    const end = text.indexOf("\n", at);
    if (end < 0) throw new ParseError("TRUNCATED", "sparse map", { offset: position + at });
    numbers.push(decimal(text.slice(at, end), "map", position + at));
    at = end + 1;
    if (numbers.length === 1) wanted = 1 + 2 * (numbers[0] ?? 0);
  }
  return { numbers: numbers.slice(1), dataAt: position + Math.ceil(at / BLOCK) * BLOCK };
}

function asPairs(numbers: readonly number[]): Pair[] {
  if (numbers.length % 2 !== 0) throw new ParseError("TRUNCATED", "sparse map");
  return numbers.flatMap((offset, index) =>
    index % 2 === 0 ? [[offset, numbers[index + 1] ?? 0] as const] : [],
  );
}

function decimal(text: ByteText, key: string, offset: number): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value))
    throw new ParseError("OUT_OF_RANGE", `sparse ${key}`, { offset, found: show(text) });
  return value;
}

/** Extents in order, apart from each other, inside the file, and together all of what is stored. */
function place(pairs: readonly Pair[], size: number, stored: StoredBytes): SparseMap {
  const refuse = (expected: string): never => {
    throw new ParseError("OUT_OF_RANGE", "sparse map", { offset: stored.position, expected });
  };
  let [end, taken] = [0, 0];
  const extents: Extent[] = [];
  for (const [offset, length] of pairs) {
    if (offset < end || offset + length > size) refuse("extents in order, inside the file");
    if (length > 0) extents.push({ offset, length, position: stored.position + taken });
    end = offset + length;
    taken += length;
  }
  if (taken !== stored.size) refuse(`extents of ${stored.size} bytes together`);
  return { size, extents };
}
