import { asDigest, formatHex, parseBase64, ParseError, parseHex, utf8, type Sha256 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeConsistencyProof, verifyConsistency } from "./consistency.ts";
import { readVectors } from "./hostile.testing.ts";
import { makeInclusionProof, verifyInclusion } from "./inclusion.ts";
import { EMPTY_ROOT, leafHash, nodeHash, rangeRoot } from "./merkle.ts";
import { path, proof as referenceProof, sourceOf, treeHash } from "./reference-tree.testing.ts";

const hash = (base64: string): Sha256 => asDigest("sha256", parseBase64(base64, "hash"));
/** The answer of a verifier, or no when something that is no hash cannot even be handed to it. */
const answer = (verify: () => boolean): boolean => {
  try {
    return verify();
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
};
const hexes = (hashes: readonly Uint8Array[]): string[] => hashes.map((one) => formatHex(one));

interface InclusionProbe {
  readonly file: string;
  readonly leafIdx: string;
  readonly treeSize: string;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}
interface ConsistencyProbe {
  readonly file: string;
  readonly size1: string;
  readonly size2: string;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}
const eight = readVectors<{
  leaves_hex: string[];
  roots_by_size: string[];
  node_hash_of_N123_N456: string;
  inclusion: { size: number; index: number; proof: string[] }[];
  consistency: { from: number; to: number; proof: string[] }[];
}>("merkle/rfc6962-eight-leaves.json");

describe("Merkle proofs: a proof that fits a wrong leaf or another tree", () => {
  it("decides the inclusion probes of transparency-dev/merkle", () => {
    const probes = readVectors<readonly InclusionProbe[]>("merkle/inclusion-transparency-dev.json");
    const verify = ({ leafIdx, treeSize, ...probe }: InclusionProbe): boolean => {
      const claim = { leaf: hash(probe.leafHash), root: hash(probe.root) };
      const place = { index: BigInt(leafIdx), size: BigInt(treeSize) };
      return verifyInclusion({ ...claim, ...place }, (probe.proof ?? []).map(hash));
    };
    const differ = probes.filter((probe) => answer(() => verify(probe)) === probe.wantErr);
    expect(probes).toHaveLength(98);
    expect(differ.map(({ file }) => file)).toEqual([]);
  });

  it("decides the consistency probes of transparency-dev/merkle", () => {
    const probes = readVectors<readonly ConsistencyProbe[]>("merkle/consistency-transparency-dev.json");
    const verify = (probe: ConsistencyProbe): boolean => {
      const older = { size: BigInt(probe.size1), root: hash(probe.root1) };
      const newer = { size: BigInt(probe.size2), root: hash(probe.root2) };
      return verifyConsistency(older, newer, (probe.proof ?? []).map(hash));
    };
    const differ = probes.filter((probe) => answer(() => verify(probe)) === probe.wantErr);
    expect(probes).toHaveLength(98);
    // Its "roots" are 12 bytes long; a SHA-256 root of another length is refused before anything is compared.
    expect(differ.map(({ file }) => file)).toEqual([
      "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
    ]);
  });

  it("takes every tree for consistent with the empty one, and only without a proof", () => {
    const newer = { size: 1n, root: leafHash(utf8("leaf 0")) };
    expect(verifyConsistency({ size: 0n, root: EMPTY_ROOT }, newer, [])).toBe(true);
    expect(verifyConsistency({ size: 0n, root: EMPTY_ROOT }, newer, [EMPTY_ROOT])).toBe(false);
    expect(verifyConsistency({ size: 0n, root: newer.root }, newer, [])).toBe(false);
    expect(verifyConsistency({ size: 0n, root: EMPTY_ROOT }, { size: 0n, root: EMPTY_ROOT }, [])).toBe(true);
  });

  it("has the roots, constants and proofs of RFC 6962's eight leaves", async () => {
    const leaves = eight.leaves_hex.map((leaf) => leafHash(parseHex(leaf, "leaf")));
    eight.roots_by_size.forEach((root, size) =>
      expect(formatHex(treeHash(leaves.slice(0, size)))).toBe(root),
    );
    expect(formatHex(nodeHash(utf8("N123"), utf8("N456")))).toBe(eight.node_hash_of_N123_N456);
    const source = sourceOf(leaves);
    for (const { size, index, proof } of eight.inclusion)
      expect(hexes(await makeInclusionProof(source, BigInt(index), BigInt(size)))).toEqual(proof);
    for (const { from, to, proof } of eight.consistency)
      expect(hexes(await makeConsistencyProof(source, BigInt(from), BigInt(to)))).toEqual(proof);
  });

  it("makes and verifies the proofs that the slow reference makes, in every tree of up to 70 entries", async () => {
    const leaves = Array.from({ length: 70 }, (_, index) => leafHash(utf8(`leaf ${index}`)));
    const source = sourceOf(leaves);
    for (let size = 1; size <= leaves.length; size += size < 18 ? 1 : 13) {
      const root = await rangeRoot(source, { start: 0n, end: BigInt(size) });
      expect(formatHex(root)).toBe(formatHex(treeHash(leaves.slice(0, size))));
      for (let at = 0; at < size; at++) {
        const made = await makeInclusionProof(source, BigInt(at), BigInt(size));
        expect(hexes(made)).toEqual(hexes(path(at, leaves.slice(0, size))));
        const claim = { leaf: leaves[at]!, index: BigInt(at), size: BigInt(size), root };
        expect(verifyInclusion(claim, made)).toBe(true);
        const older = { size: BigInt(at), root: treeHash(leaves.slice(0, at)) };
        const grown = await makeConsistencyProof(source, BigInt(at), BigInt(size));
        expect(hexes(grown)).toEqual(at === 0 ? [] : hexes(referenceProof(at, leaves.slice(0, size))));
        expect(verifyConsistency(older, { size: BigInt(size), root }, grown)).toBe(true);
      }
    }
  });

  it("does not verify when any hash, index, size or root is changed, or a hash is added or left out", async () => {
    const leaves = Array.from({ length: 40 }, (_, index) => leafHash(utf8(`leaf ${index}`)));
    const source = sourceOf(leaves);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), async (size, at, bit) => {
        const index = at % size;
        const root = treeHash(leaves.slice(0, size));
        const claim = { leaf: leaves[index]!, index: BigInt(index), size: BigInt(size), root };
        const hashes = await makeInclusionProof(source, claim.index, claim.size);
        const flip = (one: Sha256): Sha256 =>
          one.with((bit >> 3) % 32, one[(bit >> 3) % 32]! ^ (1 << (bit & 7))) as Sha256;
        const wrong = hashes.map((one, place) => (place === bit % hashes.length ? flip(one) : one));
        expect(verifyInclusion(claim, wrong)).toBe(false);
        expect(verifyInclusion(claim, hashes.slice(1))).toBe(false);
        expect(verifyInclusion(claim, [...hashes, EMPTY_ROOT])).toBe(false);
        expect(verifyInclusion({ ...claim, leaf: flip(claim.leaf) }, hashes)).toBe(false);
        expect(verifyInclusion({ ...claim, root: flip(root) }, hashes)).toBe(false);
        expect(verifyInclusion({ ...claim, index: claim.index ^ 1n }, hashes)).toBe(false);
        const older = { size: BigInt(index), root: treeHash(leaves.slice(0, index)) };
        const newer = { size: claim.size, root };
        const grown = await makeConsistencyProof(source, older.size, newer.size);
        expect(verifyConsistency(older, { ...newer, root: flip(root) }, grown)).toBe(index === 0);
        expect(verifyConsistency({ ...older, root: flip(older.root) }, newer, grown)).toBe(false);
        expect(verifyConsistency(older, newer, [...grown, EMPTY_ROOT])).toBe(false);
        expect(verifyConsistency(newer, older, grown)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it("has the published proofs of the leaf-n tree", () => {
    interface Inclusion {
      readonly index: number;
      readonly size: number;
      readonly leaf: string;
      readonly root: string;
      readonly proof: readonly string[];
    }
    interface Consistency {
      readonly from: number;
      readonly to: number;
      readonly root_from: string;
      readonly root_to: string;
      readonly proof: readonly string[];
    }
    const vectors = readVectors<{
      inclusion: readonly Inclusion[];
      consistency: readonly Consistency[];
    }>("merkle/roots-and-proofs-leaf-n.json");
    for (const { index, size, leaf, root, proof } of vectors.inclusion) {
      const claim = {
        leaf: leafHash(utf8(leaf)),
        index: BigInt(index),
        size: BigInt(size),
        root: hash(root),
      };
      expect(verifyInclusion(claim, proof.map(hash))).toBe(true);
    }
    for (const { from, to, proof, ...roots } of vectors.consistency) {
      const older = { size: BigInt(from), root: hash(roots.root_from) };
      const newer = { size: BigInt(to), root: hash(roots.root_to) };
      expect(verifyConsistency(older, newer, proof.map(hash))).toBe(true);
    }
    expect(vectors.inclusion.length + vectors.consistency.length).toBeGreaterThan(5);
  });
});
