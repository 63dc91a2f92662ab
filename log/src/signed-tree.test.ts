import { equalBytes } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import { describe, expect, it } from "vitest";
import { subtreeMessage, verifyCosignature } from "./cosignature.ts";
import type { LogErrorKind } from "./log-error.ts";
import { Log } from "./log.ts";
import { entriesFrom, logOn, MemoryDisk } from "./memory-store.testing.ts";
import { parseNote } from "./note.ts";
import { cosignatureSigner, ed25519Signer, mlDsa44Signer } from "./signer.ts";
import { noteVerifier } from "./verifier.ts";
import { singleLogPolicy, verifyTlogProof, type Answer } from "./verify-tlog-proof.ts";

const NAME = "log.test/keys";
const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const [a, b, c] = [1, 2, 3].map((byte) => ed25519Signer(NAME, seed(byte))) as [Signer, Signer, Signer];
const pq = mlDsa44Signer(NAME, seed(4));

const signedBy = (disk: MemoryDisk, ...[signer, ...cosigners]: [Signer, ...Signer[]]) => ({
  ...logOn(disk),
  origin: NAME,
  signer,
  cosigners,
});
const keysOn = (disk: MemoryDisk): string[] =>
  parseNote(disk.objects.get("checkpoint")!).signatures.map(({ keyId }) => keyId);
async function answers(log: Log, ...keys: readonly Signer[]): Promise<Answer[]> {
  const proof = await log.proof(0n);
  return keys.map((key) => verifyTlogProof({ proof, policy: singleLogPolicy(key.vkey) }).answer);
}

describe("keys of a log: old proofs and old clients must survive a new key", () => {
  it("is rotated by signing with both for a while, without a new commit", async () => {
    const disk = new MemoryDisk();
    const old = await Log.create(signedBy(disk, a));
    await old.append(entriesFrom(0, 3));
    const { generation } = disk.head!;
    const early = await old.proof(1n);

    const both = await Log.open(signedBy(disk, a, b));
    expect([disk.head!.generation, keysOn(disk)]).toEqual([generation, [a.keyId, b.keyId]]);
    expect(await answers(both, a, b, c)).toEqual(["yes", "yes", "no"]);
    await both.append(entriesFrom(3, 3));

    const swapped = await Log.open(signedBy(disk, b, a));
    await swapped.append(entriesFrom(6, 3));
    const now = await Log.open(signedBy(disk, b));
    await now.append(entriesFrom(9, 300));
    expect(keysOn(disk)).toEqual([b.keyId]);
    expect(await answers(now, a, b)).toEqual(["no", "yes"]);
    expect((await now.audit()).fault).toBeUndefined();
    expect(verifyTlogProof({ proof: early, policy: singleLogPolicy(a.vkey, b.vkey) }).answer).toBe("yes");
    const refusal = await Log.open(signedBy(disk, a)).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: "BAD_SIGNATURE" satisfies LogErrorKind });
  });

  it("signs with ML-DSA-44 as well: the subtree/v1 message, at no time, the same each time", async () => {
    const disk = new MemoryDisk();
    const log = await Log.create(signedBy(disk, a, pq));
    await log.append(entriesFrom(0, 5));
    const { unverifiedText, signatures } = parseNote(log.checkpoint.note);
    const line = signatures.find(({ keyId }) => keyId === pq.keyId)!;
    expect(line.signature).toHaveLength(8 + 2420);
    expect(line.signature.subarray(0, 8)).toEqual(new Uint8Array(8));
    const { vkey } = noteVerifier(pq.vkey);
    expect(verifyCosignature(vkey, unverifiedText, line.signature)).toBe(true);
    const { size: end, root } = log.checkpoint;
    const message = subtreeMessage({ cosigner: NAME, timestamp: 0n, origin: NAME, start: 0n, end, root });
    expect(equalBytes(await pq.sign(message), line.signature.subarray(8))).toBe(true);
    expect(await answers(log, a, pq)).toEqual(["yes", "yes"]);
    const { note } = log.checkpoint;
    expect((await Log.open(signedBy(disk, a, pq))).checkpoint.note).toEqual(note);
  });

  it("takes no key that a log cannot sign with", async () => {
    const witness = cosignatureSigner(NAME, seed(5));
    for (const keys of [[pq, a], [witness], [a, witness]] as [Signer, ...Signer[]][]) {
      const disk = new MemoryDisk();
      await expect(Log.create(signedBy(disk, ...keys))).rejects.toThrow(RangeError);
      expect(disk.head).toBeUndefined();
    }
  });
});
