/**
 * Prefix proofs: what root the first entries of a tree have. It is a consistency proof (RFC 9162 section 2.1.4) that
 * leaves nothing out, so that it also shows which root they have when it is not the one that somebody saw: the part of
 * the evidence against a log that a third party can check.
 * @module
 */
import { equalBytes, type Sha256 } from "@bootproof/bytes";
import { climb, consistencyRanges, type TreeHead } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { rangeRoot, type HashSource } from "./merkle.ts";

/** Makes the proof of the root that the first `oldSize` entries of a tree have; throws {@link LogError}. */
export async function makePrefixProof(
  source: HashSource,
  oldSize: bigint,
  newSize: bigint,
): Promise<Sha256[]> {
  if (oldSize <= 0n || oldSize >= newSize)
    throw new LogError("OUT_OF_TREE", "only a part of a tree needs a proof", {
      expected: `a size of 1 to ${newSize - 1n}`,
      found: String(oldSize),
    });
  const ranges = consistencyRanges(oldSize, newSize);
  // The RFC leaves the root of a complete subtree out, as the verifier is thought to know it.
  if (ranges[0]?.start === oldSize) ranges.unshift({ start: 0n, end: oldSize });
  return Promise.all(ranges.map((range) => rangeRoot(source, range)));
}

/** The root of the first `oldSize` entries of a tree, when `proof` shows it; never throws. */
export function provenPrefixRoot(
  oldSize: bigint,
  newer: TreeHead,
  proof: readonly Sha256[],
): Sha256 | undefined {
  const [first, ...rest] = proof;
  if (first === undefined || oldSize <= 0n || oldSize >= newer.size) return undefined;
  const roots = climb(oldSize, newer.size, first, rest);
  return roots !== undefined && equalBytes(roots.newer, newer.root) ? roots.older : undefined;
}
