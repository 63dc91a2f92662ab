/**
 * Offline verification of a proof file: C2SP tlog-proof, "Verifying a tlog proof". Malformed input throws; everything
 * else is an answer with a reason, and every check is answered.
 * @module
 */
import { formatHex, type Sha256 } from "@bootproof/bytes";
import { parseCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { verifyInclusion } from "./inclusion.ts";
import { evaluateQuorum, parseLogPolicy, type LogPolicy, type PolicyWitness } from "./log-policy.ts";
import { leafHash } from "./merkle.ts";
import { checkSignatures, parseNote, type CheckedSignatures } from "./note.ts";
import { parseTlogProof, type TlogProof } from "./tlog-proof.ts";
import { noteVerifiers } from "./verifier.ts";

/** Yes, no, or could not decide. */
export type Answer = "yes" | "no" | "undecided";

/** One question about a proof, its answer, and why. */
export interface ProofCheck {
  readonly check: "log signature" | "witnesses" | "inclusion";
  readonly answer: Answer;
  readonly reason: string;
}

/** What was found out about a proof. */
export interface ProofVerdict {
  /** No if any check says no; else undecided if any is; else yes. */
  readonly answer: Answer;
  readonly checks: readonly ProofCheck[];
  readonly index: bigint;
  readonly leafHash: Sha256 | undefined;
  /** What the checkpoint says: to be believed only when "log signature" is yes. */
  readonly checkpoint: Checkpoint;
  /** Witnesses whose cosignatures verified, by their name in the policy, and when they signed (POSIX seconds). */
  readonly witnesses: readonly { readonly name: string; readonly timestamp: bigint }[];
}

/** What to verify and by whose word. */
export interface ProofQuestion {
  readonly proof: TlogProof | Uint8Array;
  /** The entry; by default what the proof carries as extra data. */
  readonly leaf?: Uint8Array;
  /** A policy, or the vkey of the one log that counts (its name is the origin), without witnesses. */
  readonly policy: LogPolicy | { readonly logKey: string };
}

/** Verifies a proof against a policy; throws ParseError for malformed input only. */
export function verifyTlogProof({ proof: given, leaf: entry, policy: by }: ProofQuestion): ProofVerdict {
  const proof = given instanceof Uint8Array ? parseTlogProof(given) : given;
  const policy = "logKey" in by ? singleLogPolicy(by.logKey) : by;
  const note = parseNote(proof.checkpoint);
  const checkpoint = parseCheckpoint(note.unverifiedText);
  const signed = checkSignatures(note, noteVerifiers(policy.logs.map(({ vkey }) => vkey)));
  const cosigned = checkSignatures(note, noteVerifiers(policy.witnesses.map(({ vkey }) => vkey)));
  const leaf = entry ?? proof.extra;
  const hash = leaf === undefined ? undefined : leafHash(leaf);
  const checks = [
    checkLog(policy, checkpoint, signed),
    checkWitnesses(policy, cosigned),
    checkInclusion(proof, checkpoint, hash),
  ];
  return {
    answer: joinAnswers(checks),
    checks,
    index: proof.index,
    leafHash: hash,
    checkpoint,
    witnesses: policy.witnesses.flatMap(({ name, vkey }) => {
      const found = cosigned.verified.find(({ verifier }) => verifier.vkey === vkey);
      return found?.timestamp === undefined ? [] : [{ name, timestamp: found.timestamp }];
    }),
  };
}

/** The policy that accepts one log, by any of its keys, without witnesses; throws ParseError when one is no log's. */
export function singleLogPolicy(...logKeys: readonly string[]): LogPolicy {
  return parseLogPolicy(`${logKeys.map((key) => `log ${key}\n`).join("")}quorum none\n`);
}

function joinAnswers(checks: readonly ProofCheck[]): Answer {
  const answers = checks.map(({ answer }) => answer);
  return answers.includes("no") ? "no" : answers.includes("undecided") ? "undecided" : "yes";
}

function checkLog({ logs }: LogPolicy, { origin, size }: Checkpoint, signed: CheckedSignatures): ProofCheck {
  const check = "log signature";
  if (logs.length === 0) return { check, answer: "undecided", reason: "the policy names no log" };
  const [failed] = signed.failed;
  if (failed !== undefined)
    return { check, answer: "no", reason: `the signature by ${failed.name}+${failed.keyId} does not verify` };
  const signers = signed.verified.map(({ verifier }) => verifier.vkey);
  const [signer] = signers;
  if (signer === undefined)
    return { check, answer: "no", reason: "no log of the policy signed the checkpoint" };
  const own = signers.find(({ name }) => name === origin);
  if (own === undefined)
    return { check, answer: "no", reason: `the checkpoint is of ${origin}, but signed by ${signer.name}` };
  return { check, answer: "yes", reason: `checkpoint of size ${size} signed by ${own.name}+${own.keyId}` };
}

function checkWitnesses(policy: LogPolicy, cosigned: CheckedSignatures): ProofCheck {
  const check = "witnesses";
  const [failed] = cosigned.failed;
  if (failed !== undefined)
    return {
      check,
      answer: "no",
      reason: `the cosignature by ${failed.name}+${failed.keyId} does not verify`,
    };
  if (policy.quorum === "none") return { check, answer: "yes", reason: "the policy asks for no witness" };
  const keys = new Set(cosigned.verified.map(({ verifier }) => verifier.vkey));
  const cosignedBy = ({ vkey }: PolicyWitness): boolean => keys.has(vkey);
  const seen = policy.witnesses.filter(cosignedBy).map(({ name }) => name);
  const list =
    seen.length === 0 ? "no witness of the policy" : `${seen.length} witness(es): ${seen.join(", ")}`;
  // A quorum that is not met says nothing against the log: more cosignatures may exist elsewhere.
  return evaluateQuorum(policy, cosignedBy)
    ? { check, answer: "yes", reason: `seen by ${list}; quorum ${policy.quorum.name} is met` }
    : { check, answer: "undecided", reason: `seen by ${list}; quorum ${policy.quorum.name} is not met` };
}

function checkInclusion(proof: TlogProof, { size, root }: Checkpoint, leaf: Sha256 | undefined): ProofCheck {
  const check = "inclusion";
  if (leaf === undefined)
    return { check, answer: "undecided", reason: "the proof carries no entry and none was given" };
  const { index, hashes } = proof;
  if (index >= size)
    return { check, answer: "no", reason: `index ${index} lies outside the tree of ${size} entries` };
  const holds = verifyInclusion({ leaf, index, size, root }, hashes);
  const place = `leaf ${formatHex(leaf)} at index ${index} of ${size}`;
  return holds
    ? { check, answer: "yes", reason: place }
    : { check, answer: "no", reason: `the hashes do not lead from ${place} to the root ${formatHex(root)}` };
}
