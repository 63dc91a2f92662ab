/**
 * Subtrees: ranges of entries that stand alone as trees, proofs that an entry is in one, and proofs that one is part of
 * a larger tree. draft-ietf-plants-merkle-tree-certs-02 sections 4.1 to 4.4, as C2SP tlog-mirror and the `sign-subtree`
 * call of tlog-witness use them. A range is a subtree when its start is a multiple of the smallest power of two that is
 * not below its length; a range of no entries always is, and every tree holds it.
 * @module
 */
import { equalBytes, type Sha256 } from "@bootproof/bytes";
import type { TreeHead } from "./consistency.ts";
import { verifyInclusion } from "./inclusion.ts";
import { LogError } from "./log-error.ts";
import {
  bitLength,
  EMPTY_ROOT,
  nodeHash,
  rangeRoot,
  splitPoint,
  type EntryRange,
  type HashSource,
} from "./merkle.ts";

/** A range of entries and the root over them as a tree of their own. */
export interface Subtree extends EntryRange {
  readonly root: Sha256;
}

/** Whether a range of entries is a subtree. */
export function isSubtree({ start, end }: EntryRange): boolean {
  if (start < 0n || start > end) return false;
  return start === end || start % (1n << BigInt(bitLength(end - start - 1n))) === 0n;
}

/** Whether `proof` shows the leaf to be the entry at `index` of the whole log, in a subtree; never throws. */
export function verifySubtreeInclusion(
  subtree: Subtree,
  { leaf, index }: { readonly leaf: Sha256; readonly index: bigint },
  proof: readonly Sha256[],
): boolean {
  const { start, end, root } = subtree;
  if (!isSubtree(subtree) || index < start) return false;
  return verifyInclusion({ leaf, index: index - start, size: end - start, root }, proof);
}

/** Makes the proof that a subtree is part of the tree of `size` entries; throws {@link LogError}. */
export async function makeSubtreeProof(
  source: HashSource,
  range: EntryRange,
  size: bigint,
): Promise<Sha256[]> {
  if (!isSubtree(range) || range.end > size)
    throw new LogError("OUT_OF_TREE", "these entries are no subtree of the tree", {
      expected: `a subtree of ${size} entries`,
      found: `${range.start} to ${range.end}`,
    });
  if (range.start === range.end) return [];
  return Promise.all(besideSubtree(range, size).map((beside) => rangeRoot(source, beside)));
}

/** Whether `proof` shows that `tree` holds `subtree`; never throws. */
export function verifySubtreeProof(subtree: Subtree, tree: TreeHead, proof: readonly Sha256[]): boolean {
  if (!isSubtree(subtree) || subtree.end > tree.size) return false;
  if (subtree.start === subtree.end) return proof.length === 0 && equalBytes(subtree.root, EMPTY_ROOT);
  let [first, last, end] = [subtree.start, subtree.end - 1n, tree.size - 1n];
  const up = (): void => {
    first >>= 1n;
    last >>= 1n;
    end >>= 1n;
  };
  // Up to the node that the proof begins with: the subtree's own, or the last complete one in it.
  if (last === end) while (first !== last) up();
  else while (first !== last && (last & 1n) === 1n) up();
  const [seed, ...rest] = first === last ? [subtree.root, ...proof] : proof;
  if (seed === undefined) return false;
  let [subtreeHash, treeHash] = [seed, seed];
  for (const sibling of rest) {
    if (end === 0n) return false;
    if ((last & 1n) === 1n || last === end) {
      if (first < last) subtreeHash = nodeHash(sibling, subtreeHash);
      treeHash = nodeHash(sibling, treeHash);
      while ((last & 1n) === 0n && last !== 0n) up();
    } else treeHash = nodeHash(treeHash, sibling);
    up();
  }
  return end === 0n && equalBytes(subtreeHash, subtree.root) && equalBytes(treeHash, tree.root);
}

/** The ranges whose roots make the proof, deepest first. */
function besideSubtree(subtree: EntryRange, size: bigint): EntryRange[] {
  const ranges: EntryRange[] = [];
  let [start, end] = [0n, size];
  let from = subtree.start;
  while (start !== from || end !== subtree.end) {
    const middle = start + splitPoint(end - start);
    if (subtree.end <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
      if (from < middle) from = middle;
    }
  }
  // What remains of a subtree that was split is not its root, which the verifier knows.
  if (from !== subtree.start) ranges.push({ start, end });
  return ranges.reverse();
}
