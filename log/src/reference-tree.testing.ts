/**
 * RFC 9162 section 2.1, word for word and slowly: what the fast tree is compared with.
 * @module
 */
import type { Sha256 } from "@bootproof/bytes";
import { EMPTY_ROOT, nodeHash, type HashSource } from "./merkle.ts";

const split = (count: number): number => {
  let k = 1;
  while (k * 2 < count) k *= 2;
  return k;
};

/** MTH(D[n]). */
export function treeHash(leaves: readonly Sha256[]): Sha256 {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** PATH(m, D[n]). */
export function path(m: number, leaves: readonly Sha256[]): Sha256[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...path(m, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

/** PROOF(m, D[n]) for 0 < m < n, by SUBPROOF. */
export function proof(m: number, leaves: readonly Sha256[], complete = true): Sha256[] {
  if (m === leaves.length) return complete ? [] : [treeHash(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...proof(m, leaves.slice(0, k), complete), treeHash(leaves.slice(k))]
    : [...proof(m - k, leaves.slice(k), false), treeHash(leaves.slice(0, k))];
}

/** Complete subtrees of a list of leaves. */
export const sourceOf = (leaves: readonly Sha256[]): HashSource => ({
  subtree: (height, index) => {
    const width = 2 ** height;
    return Promise.resolve(treeHash(leaves.slice(Number(index) * width, (Number(index) + 1) * width)));
  },
});
