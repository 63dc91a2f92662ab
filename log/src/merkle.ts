/**
 * The Merkle tree: leaf hash SHA-256(0x00 || entry), node hash SHA-256(0x01 || left || right), split at the largest
 * power of two below the size. RFC 9162 section 2.1 (the same tree as RFC 6962).
 * @module
 */
import { sha256, sha256Joined, type Sha256 } from "@bootproof/bytes";

const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

/** Root of the tree without entries: SHA-256 of nothing. */
export const EMPTY_ROOT: Sha256 = sha256(new Uint8Array());

/** Hash of an entry as a leaf. */
export const leafHash = (entry: Uint8Array): Sha256 => sha256Joined(LEAF_PREFIX, entry);

/** Hash of the node above `left` and `right`. */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Sha256 =>
  sha256Joined(NODE_PREFIX, left, right);

/** Where hashes of complete subtrees come from: 2^height entries, the `index`-th such subtree from the left. */
export interface HashSource {
  subtree(height: number, index: bigint): Promise<Sha256>;
}

/** The entries from `start` up to but not including `end`. */
export interface EntryRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Largest power of two strictly below `size`, which is at least 2. */
export function splitPoint(size: bigint): bigint {
  return 1n << BigInt(bitLength(size - 1n) - 1);
}

/** Number of binary digits of `value`. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** Root over `range`, a subtree of the tree; `source` knows every complete subtree in it. */
export async function rangeRoot(source: HashSource, { start, end }: EntryRange): Promise<Sha256> {
  if (start === end) return EMPTY_ROOT;
  const pieces: Promise<Sha256>[] = [];
  for (let at = start; at < end;) {
    const height = bitLength(end - at) - 1;
    pieces.push(source.subtree(height, at >> BigInt(height)));
    at += 1n << BigInt(height);
  }
  return joinSubtrees(await Promise.all(pieces));
}

/** Root over complete subtrees that shrink from left to right. */
export function joinSubtrees(hashes: readonly Sha256[]): Sha256 {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** Root over a power of two of neighbouring hashes of one height. */
export function completeRoot(hashes: readonly Sha256[]): Sha256 {
  let level = hashes;
  while (level.length > 1) {
    const above: Sha256[] = [];
    for (let index = 0; index < level.length; index += 2) above.push(pairAt(level, index));
    level = above;
  }
  const [root] = level;
  if (root === undefined) throw new RangeError("a complete subtree has at least one hash");
  return root;
}

function pairAt(level: readonly Sha256[], index: number): Sha256 {
  const [left, right] = [level[index], level[index + 1]];
  if (left === undefined || right === undefined)
    throw new RangeError("a complete subtree has a power of two of hashes");
  return nodeHash(left, right);
}
