/**
 * Inclusion proofs: the sibling hashes from a leaf up to below the root. RFC 9162 sections 2.1.3.1 and 2.1.3.2.
 * @module
 */
import { equalBytes, type Sha256 } from "@bootproof/bytes";
import { LogError } from "./log-error.ts";
import { nodeHash, rangeRoot, splitPoint, type EntryRange, type HashSource } from "./merkle.ts";

/** What an inclusion proof claims: the leaf at `index` is in the tree of `size` entries with `root`. */
export interface InclusionClaim {
  readonly leaf: Sha256;
  readonly index: bigint;
  readonly size: bigint;
  readonly root: Sha256;
}

/** Makes the inclusion proof of the entry at `index` in the tree of `size` entries; throws {@link LogError}. */
export async function makeInclusionProof(source: HashSource, index: bigint, size: bigint): Promise<Sha256[]> {
  if (index < 0n || index >= size)
    throw new LogError("OUT_OF_TREE", "there is no such entry", {
      expected: `an index below ${size}`,
      found: String(index),
    });
  return Promise.all(siblings(index, size).map((range) => rangeRoot(source, range)));
}

/** Whether `proof` shows the claim; never throws. */
export function verifyInclusion(
  { leaf, index, size, root }: InclusionClaim,
  proof: readonly Sha256[],
): boolean {
  if (index < 0n || index >= size) return false;
  let node = index;
  let last = size - 1n;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0n) return false;
    if ((node & 1n) === 1n || node === last) {
      hash = nodeHash(sibling, hash);
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else hash = nodeHash(hash, sibling);
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(hash, root);
}

/** The subtrees beside the path from the leaf at `index` to the root, leaf side first. */
function siblings(index: bigint, size: bigint): EntryRange[] {
  const ranges: EntryRange[] = [];
  let [start, end] = [0n, size];
  while (end - start > 1n) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}
