/**
 * Consistency proofs: a larger tree begins with the entries of a smaller one. RFC 9162 sections 2.1.4.1 and 2.1.4.2;
 * from the empty tree, which the RFC leaves out, the proof is empty, as in C2SP tlog-witness.
 * @module
 */
import { equalBytes, type Sha256 } from "@bootproof/bytes";
import { LogError } from "./log-error.ts";
import { EMPTY_ROOT, nodeHash, rangeRoot, splitPoint, type EntryRange, type HashSource } from "./merkle.ts";

/** A tree as a checkpoint describes it. */
export interface TreeHead {
  readonly size: bigint;
  readonly root: Sha256;
}

/** Makes the proof that the tree of `newSize` entries begins with that of `oldSize`; throws {@link LogError}. */
export async function makeConsistencyProof(
  source: HashSource,
  oldSize: bigint,
  newSize: bigint,
): Promise<Sha256[]> {
  if (oldSize < 0n || oldSize > newSize)
    throw new LogError("OUT_OF_TREE", "a tree does not shrink", {
      expected: `an old size of at most ${newSize}`,
      found: String(oldSize),
    });
  return Promise.all(consistencyRanges(oldSize, newSize).map((range) => rangeRoot(source, range)));
}

/** Whether `proof` shows that `newer` begins with the entries of `older`; never throws. */
export function verifyConsistency(older: TreeHead, newer: TreeHead, proof: readonly Sha256[]): boolean {
  if (older.size < 0n || older.size > newer.size) return false;
  if (older.size === 0n && !equalBytes(older.root, EMPTY_ROOT)) return false;
  if (older.size === newer.size) return proof.length === 0 && equalBytes(older.root, newer.root);
  if (older.size === 0n) return proof.length === 0;
  // A tree of a power of two of entries is a subtree of the larger one; its root is known and left out of the proof.
  const isComplete = (older.size & (older.size - 1n)) === 0n;
  const [first, ...rest] = isComplete ? [older.root, ...proof] : proof;
  const roots = first && climb(older.size, newer.size, first, rest);
  return roots !== undefined && equalBytes(roots.older, older.root) && equalBytes(roots.newer, newer.root);
}

/**
 * The roots that a proof gives to the older and to the newer tree, from the last complete subtree of the older one on;
 * undefined when it is too short or too long.
 */
export function climb(
  oldSize: bigint,
  newSize: bigint,
  first: Sha256,
  rest: readonly Sha256[],
): { readonly older: Sha256; readonly newer: Sha256 } | undefined {
  let node = oldSize - 1n;
  let last = newSize - 1n;
  while ((node & 1n) === 1n) {
    node >>= 1n;
    last >>= 1n;
  }
  let [older, newer] = [first, first];
  for (const sibling of rest) {
    if (last === 0n) return undefined;
    if ((node & 1n) === 1n || node === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else newer = nodeHash(newer, sibling);
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? { older, newer } : undefined;
}

/** The subtrees whose roots make the proof, deepest first. */
export function consistencyRanges(oldSize: bigint, newSize: bigint): EntryRange[] {
  if (oldSize === 0n || oldSize === newSize) return [];
  const ranges: EntryRange[] = [];
  let [start, end] = [0n, newSize];
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  if (start !== 0n) ranges.push({ start, end });
  return ranges.reverse();
}
