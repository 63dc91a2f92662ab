import { asDigest, parseBase64, ParseError, utf8, type Sha256 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readVectors } from "./hostile.testing.ts";
import { LogError } from "./log-error.ts";
import { leafHash } from "./merkle.ts";
import { path, sourceOf, treeHash } from "./reference-tree.testing.ts";
import { isSubtree, makeSubtreeProof, verifySubtreeInclusion, verifySubtreeProof } from "./subtree.ts";

interface Probe {
  readonly file: string;
  readonly start: string;
  readonly end: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}
interface InclusionProbe extends Probe {
  readonly leafIdx: string;
  readonly root: string;
  readonly leafHash: string;
}
interface ConsistencyProbe extends Probe {
  readonly size: string;
  readonly root1: string;
  readonly root2: string;
}

const hash = (base64: string): Sha256 => asDigest("sha256", parseBase64(base64, "hash"));
/** A proof with something in it that is no hash is no proof. */
function answer(verify: () => boolean): boolean {
  try {
    return verify();
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
const range = ({ start, end }: Probe): { start: bigint; end: bigint } => ({
  start: BigInt(start),
  end: BigInt(end),
});
const proofOf = ({ proof }: Probe): Sha256[] => (proof ?? []).map(hash);
const leaves = Array.from({ length: 40 }, (_, at) => leafHash(utf8(`leaf ${at}`)));

describe("subtrees: a package of entries that a mirror would take for the log's", () => {
  it("decides the inclusion probes of transparency-dev/merkle", () => {
    const probes = readVectors<readonly InclusionProbe[]>("merkle/subtreeinclusion-transparency-dev.json");
    const verify = (probe: InclusionProbe): boolean =>
      verifySubtreeInclusion(
        { ...range(probe), root: hash(probe.root) },
        { leaf: hash(probe.leafHash), index: BigInt(probe.leafIdx) },
        proofOf(probe),
      );
    expect(probes).toHaveLength(204);
    expect(
      probes.filter((probe) => answer(() => verify(probe)) === probe.wantErr).map(({ file }) => file),
    ).toEqual([]);
  });

  it("decides the consistency probes of transparency-dev/merkle", () => {
    const probes = readVectors<readonly ConsistencyProbe[]>(
      "merkle/subtreeconsistency-transparency-dev.json",
    );
    const verify = (probe: ConsistencyProbe): boolean =>
      verifySubtreeProof(
        { ...range(probe), root: hash(probe.root1) },
        { size: BigInt(probe.size), root: hash(probe.root2) },
        proofOf(probe),
      );
    expect(probes).toHaveLength(118);
    // Their "roots" are 12 bytes long: no tree of SHA-256 has such a one.
    expect(
      probes.filter((probe) => answer(() => verify(probe)) === probe.wantErr).map(({ file }) => file),
    ).toEqual(
      [
        "sizes-are-equal-one-and-proof-is-empty",
        "subtree-is-empty-sizes-are-equal-one-subtree-root-valid-tree-root-random-proof-is-empty",
        "subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty",
      ].map((name) => `subtreeconsistency/additional/${name}.json`),
    );
  });

  it("proves every subtree of every tree of up to 40 entries, and nothing else with that proof", async () => {
    for (let size = 1; size <= 40; size += size < 18 ? 1 : 11)
      for (let start = 0; start < size; start++)
        for (let end = start + 1; end <= size; end++) {
          const [from, to, n] = [BigInt(start), BigInt(end), BigInt(size)];
          if (!isSubtree({ start: from, end: to })) continue;
          const tree = { size: n, root: treeHash(leaves.slice(0, size)) };
          const subtree = { start: from, end: to, root: treeHash(leaves.slice(start, end)) };
          const proof = await makeSubtreeProof(sourceOf(leaves), subtree, n);
          expect(verifySubtreeProof(subtree, tree, proof)).toBe(true);
          const other = leaves[39 - (start % 20)]!;
          expect(verifySubtreeProof({ ...subtree, root: other }, tree, proof)).toBe(false);
          expect(verifySubtreeProof(subtree, { ...tree, root: other }, proof)).toBe(false);
          expect(verifySubtreeProof(subtree, tree, [...proof, other])).toBe(false);
          if (proof.length > 0) expect(verifySubtreeProof(subtree, tree, proof.slice(1))).toBe(false);
        }
  });

  it("finds any changed hash of a proof", async () => {
    const tree = { size: 37n, root: treeHash(leaves.slice(0, 37)) };
    for (const [start, end] of [
      [0, 5],
      [16, 23],
      [32, 37],
      [36, 37],
    ] as const) {
      const subtree = {
        start: BigInt(start),
        end: BigInt(end),
        root: treeHash(leaves.slice(start, end)),
      };
      const proof = await makeSubtreeProof(sourceOf(leaves), subtree, 37n);
      for (const at of proof.keys()) {
        const changed = proof.with(at, leafHash(proof[at]!));
        expect(verifySubtreeProof(subtree, tree, changed)).toBe(false);
      }
    }
  });

  it("calls a range a subtree only when its start is a multiple of its width in powers of two", () => {
    const widthOf = (length: number): number => 2 ** Math.ceil(Math.log2(length));
    fc.assert(
      fc.property(fc.nat(600), fc.nat(600), (start, length) => {
        const expected = length === 0 || start % widthOf(length) === 0;
        return isSubtree({ start: BigInt(start), end: BigInt(start + length) }) === expected;
      }),
    );
    expect(isSubtree({ start: -4n, end: -1n })).toBe(false);
  });

  it("makes no proof for what is no subtree or not in the tree, and finds no entry outside", async () => {
    const source = sourceOf(leaves);
    for (const [start, end] of [
      [1n, 3n],
      [4n, 3n],
      [32n, 41n],
    ] as const)
      await expect(makeSubtreeProof(source, { start, end }, 40n)).rejects.toThrow(LogError);
    const subtree = { start: 8n, end: 13n, root: treeHash(leaves.slice(8, 13)) };
    const claim = { leaf: leaves[9]!, index: 9n };
    expect(verifySubtreeInclusion(subtree, claim, path(1, leaves.slice(8, 13)))).toBe(true);
    for (const index of [1n, 7n, 13n])
      expect(verifySubtreeInclusion(subtree, { ...claim, index }, path(1, leaves.slice(8, 13)))).toBe(false);
  });
});
