import { readFileSync } from "node:fs";
import { asDigest, formatHex, parseBase64, ParseError, parseHex, parseUtf8, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { cosign } from "./cosignature.ts";
import { expectOneSpelling, expectParserToSurvive, readVectors, vectorPath } from "./hostile.testing.ts";
import { parseLogPolicy } from "./log-policy.ts";
import { addSignatures, parseNote, type NoteSignature } from "./note.ts";
import { mlDsa44Signer } from "./signer.ts";
import { formatTlogProof, parseTlogProof } from "./tlog-proof.ts";
import { verifyTlogProof, type ProofVerdict } from "./verify-tlog-proof.ts";

const expected = readVectors<{
  log_vkey: string;
  witness_vkeys: readonly string[];
  cases: Record<string, { ok: boolean; leaf: string }>;
}>("proof/expected.json");
const read = (file: string): Uint8Array => new Uint8Array(readFileSync(vectorPath(`proof/${file}`)));
const witnesses = expected.witness_vkeys.map((key, at) => `witness w${at + 1} ${key}\n`).join("");
const policyText = `log ${expected.log_vkey}\n${witnesses}group g 2 w1 w2 w3\nquorum g\n`;
const policy = parseLogPolicy(policyText);
const otherKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const answers = ({ checks }: ProofVerdict): Record<string, string> =>
  Object.fromEntries(checks.map(({ check, answer }) => [check, answer]));

describe("offline proofs: a release shown as logged that is not", () => {
  it.each(Object.entries(expected.cases))("decides %s", (file, { ok, leaf }) => {
    const quorum = file.includes("size1") ? { logKey: expected.log_vkey } : policy;
    let answer = "refused";
    try {
      answer = verifyTlogProof({ proof: read(file), leaf: utf8(leaf), policy: quorum }).answer;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
    expect(answer === "yes").toBe(ok);
    expect(answer).not.toBe("undecided");
  });

  it.each(
    Object.entries(expected.cases)
      .filter(([, { ok }]) => ok)
      .map(([file]) => file),
  )("prints %s as it was", (file) => {
    expect(formatHex(formatTlogProof(parseTlogProof(read(file))))).toBe(formatHex(read(file)));
  });

  it("says which of the checks fails and why", () => {
    const wrongLeaf = verifyTlogProof({ proof: read("valid-0.tlog-proof"), leaf: utf8("leaf 1"), policy });
    expect(answers(wrongLeaf)).toEqual({ "log signature": "yes", witnesses: "yes", inclusion: "no" });
    const wrongIndex = verifyTlogProof({
      proof: read("bad-index-eq-size.tlog-proof"),
      leaf: utf8("leaf 123"),
      policy,
    });
    expect(wrongIndex.checks[2]?.reason).toBe("index 300 lies outside the tree of 300 entries");
    const badLog = verifyTlogProof({ proof: read("bad-log-sig.tlog-proof"), leaf: utf8("leaf 123"), policy });
    expect(answers(badLog)).toEqual({ "log signature": "no", witnesses: "no", inclusion: "yes" });
  });

  it("says no to a log that the policy does not name", () => {
    const verdict = verifyTlogProof({
      proof: read("valid-0.tlog-proof"),
      leaf: utf8("leaf 0"),
      policy: { logKey: otherKey },
    });
    expect(answers(verdict)).toEqual({ "log signature": "no", witnesses: "yes", inclusion: "yes" });
    expect(verdict.answer).toBe("no");
  });

  it("cannot decide when too few witnesses have signed, no log is named or no entry is known", () => {
    const size1 = read("valid-size1-empty-proof.tlog-proof");
    const unwitnessed = verifyTlogProof({ proof: size1, leaf: utf8("leaf 0"), policy });
    expect(answers(unwitnessed)).toEqual({
      "log signature": "yes",
      witnesses: "undecided",
      inclusion: "yes",
    });
    expect(unwitnessed.checks[1]?.reason).toBe("seen by no witness of the policy; quorum g is not met");
    const noLog = verifyTlogProof({
      proof: size1,
      leaf: utf8("leaf 0"),
      policy: parseLogPolicy("quorum none\n"),
    });
    expect(answers(noLog)["log signature"]).toBe("undecided");
    const noLeaf = verifyTlogProof({ proof: size1, policy: { logKey: expected.log_vkey } });
    expect([noLeaf.answer, answers(noLeaf)["inclusion"]]).toEqual(["undecided", "undecided"]);
  });

  it("says no when a witness of the policy is claimed and its cosignature is false", () => {
    const text = parseUtf8(read("valid-0.tlog-proof"), "proof");
    const lines = text.split("\n");
    const at = lines.findIndex((line) => line.startsWith("— witness.example.test/w1 "));
    lines[at] = `${lines[at]!.slice(0, 60)}AAAA${lines[at]!.slice(64)}`;
    const verdict = verifyTlogProof({ proof: utf8(lines.join("\n")), leaf: utf8("leaf 0"), policy });
    expect(answers(verdict)).toEqual({ "log signature": "yes", witnesses: "no", inclusion: "yes" });
  });

  it("takes the entry from the extra data only by hashing it", () => {
    const honest = { ...parseTlogProof(read("valid-0.tlog-proof")), extra: utf8("leaf 0") };
    expect(verifyTlogProof({ proof: formatTlogProof(honest), policy }).answer).toBe("yes");
    expect(verifyTlogProof({ proof: { ...honest, extra: utf8("leaf 1") }, policy }).answer).toBe("no");
  });

  it("names the witnesses that signed, and when", () => {
    const { witnesses: seen } = verifyTlogProof({
      proof: read("valid-0.tlog-proof"),
      leaf: utf8("leaf 0"),
      policy,
    });
    expect(seen.map(({ name }) => name)).toEqual(["w1", "w2", "w3"]);
    expect(seen.every(({ timestamp }) => timestamp > 1_700_000_000n)).toBe(true);
  });

  it("counts an ML-DSA-44 witness like any other, and refuses a forged line of one", async () => {
    const { name, seed_hex: seed } = readVectors<{ mldsa44_witness: { name: string; seed_hex: string } }>(
      "keys.json",
    ).mldsa44_witness;
    const signer = mlDsa44Signer(name, parseHex(seed, "seed"));
    const proof = parseTlogProof(read("valid-0.tlog-proof"));
    const line = await cosign(parseNote(proof.checkpoint).unverifiedText, signer, 1_700_000_000n);
    const pq = parseLogPolicy(`log ${expected.log_vkey}\nwitness pq ${signer.vkey}\nquorum pq\n`);
    const ask = (...lines: NoteSignature[]): string => {
      const checkpoint = lines.length === 0 ? proof.checkpoint : addSignatures(proof.checkpoint, lines);
      const verdict = verifyTlogProof({ proof: { ...proof, checkpoint }, leaf: utf8("leaf 0"), policy: pq });
      return `${verdict.checks[1]!.answer}: ${verdict.checks[1]!.reason}`;
    };
    expect(ask(line)).toBe("yes: seen by 1 witness(es): pq; quorum pq is met");
    expect(ask()).toBe("undecided: seen by no witness of the policy; quorum pq is not met");
    const forged = { ...line, signature: line.signature.with(100, 1 ^ line.signature[100]!) };
    expect(ask(forged)).toMatch(/^no: the cosignature by .* does not verify$/);
  });

  it("reads the published proof of another project", () => {
    const { index, hashes } = parseTlogProof(read("oak-test.tlog-proof"));
    expect([index, hashes.length]).toEqual([3n, 2]);
  });

  it("survives any bytes and has one spelling", () => {
    const sample = read("valid-extra.tlog-proof");
    expectParserToSurvive(parseTlogProof, sample);
    expectOneSpelling((bytes) => formatTlogProof(parseTlogProof(bytes)), sample);
  });

  it("answers, or refuses as malformed, whatever byte of a proof is changed; and never yes", () => {
    const sample = read("valid-299.tlog-proof");
    for (let at = 0; at < sample.length; at += 7) {
      const changed = sample.with(at, sample[at]! ^ 1);
      let answer = "refused";
      try {
        answer = verifyTlogProof({ proof: changed, leaf: utf8("leaf 299"), policy }).answer;
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
      }
      // A changed name or key ID makes a signature line unknown; two witnesses are enough.
      const line = Buffer.from(sample).lastIndexOf("\n— ", at);
      const witnessLine =
        line >= 0 && Buffer.from(sample.subarray(line)).toString().startsWith("\n— witness");
      if (!witnessLine) expect([at, answer]).not.toEqual([at, "yes"]);
    }
  });
});

describe("a log that is not ours: the public Rekor v2", () => {
  interface RekorEntry {
    readonly vkey: string;
    readonly checkpoint: string;
    readonly index: string;
    readonly leaf_base64: string;
    readonly proof_base64: readonly string[];
  }
  const entry = readVectors<RekorEntry>("sigstore/rekor-v2-public-entry.json");
  const hashes = entry.proof_base64.map((hash) => asDigest("sha256", parseBase64(hash, "hash")));
  const leaf = parseBase64(entry.leaf_base64, "leaf");
  const proof = formatTlogProof({ index: BigInt(entry.index), hashes, checkpoint: utf8(entry.checkpoint) });
  const policy = { logKey: entry.vkey };

  it("is proven to hold its entry, and no other", () => {
    expect(verifyTlogProof({ proof, leaf, policy }).answer).toBe("yes");
    expect(verifyTlogProof({ proof, leaf: leaf.subarray(1), policy }).answer).toBe("no");
    const moved = utf8(parseUtf8(proof, "proof").replace(`index ${entry.index}`, "index 547660"));
    expect(verifyTlogProof({ proof: moved, leaf, policy }).answer).toBe("no");
  });
});
