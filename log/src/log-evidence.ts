/**
 * Evidence against a log: two checkpoints that one key signed, or two keys of one name while a log changes its key, and,
 * when they are of different sizes, the proof that the larger tree does not begin with the smaller one. Whoever knows the
 * log's keys can check it offline. Form: the line below, `vkey <key>` once or twice, `seen <length>` and
 * `shown <length>` in bytes, the hashes of a prefix proof in base64, a blank line, and both signed checkpoints verbatim.
 * @module
 */
import {
  equalBytes,
  formatBase64,
  ParseError,
  parseVkey,
  quote,
  type Sha256,
  type Vkey,
} from "@bootproof/bytes";
import { openCheckpoint, parseCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { LogError } from "./log-error.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import { MAX_NOTE_SIZE, parseNote } from "./note.ts";
import { formatNotesFile, parseNotesFile } from "./notes-file.ts";
import { provenPrefixRoot } from "./prefix-proof.ts";
import { parseProofHash } from "./proof-hash.ts";
import { noteVerifiers } from "./verifier.ts";

/** First line of the file. */
export const EVIDENCE_FIRST_LINE = "bootproof.log/evidence@v1";
const KEY = "vkey ";
const WORDS = ["seen", "shown"] as const;
const MAX_PROOF_HASHES = 64;
const MAX_LENGTH = 2 * MAX_NOTE_SIZE + 8192;

/** Two checkpoints that should not both be; nothing in it is checked. */
export interface LogEvidence {
  /** The key that signed both, or the one seen first; whether it is the log's is for whoever reads this to know. */
  readonly vkey: string;
  /** The key of the same name that signed the other one, when none signed both: it convicts who has both keys. */
  readonly otherVkey?: string;
  /** The signed checkpoint seen first, as whoever saw them says. */
  readonly seen: Uint8Array;
  /** The signed checkpoint shown later. */
  readonly shown: Uint8Array;
  /** Proof of the root that the larger tree has at the smaller one's size; none for equal sizes. */
  readonly proof: readonly Sha256[];
}

/** What a pair of checkpoints shows about their log. */
export interface EvidenceVerdict {
  /** Two roots of one size; a larger tree that begins otherwise; or nothing that contradicts itself. */
  readonly outcome: "two roots" | "another beginning" | "no contradiction";
  readonly seen: SignedCheckpoint;
  readonly shown: SignedCheckpoint;
  /** The root that the larger tree has at the smaller one's size, when that is shown. */
  readonly prefixRoot?: Sha256;
}

/** The bytes of an evidence file. */
export function formatLogEvidence(evidence: LogEvidence): Uint8Array<ArrayBuffer> {
  const { seen, shown, proof } = evidence;
  const notes = [
    { word: "seen", note: seen },
    { word: "shown", note: shown },
  ];
  return formatNotesFile({
    firstLine: EVIDENCE_FIRST_LINE,
    before: keysOf(evidence).map((key) => `vkey ${key}`),
    notes,
    after: proof.map(formatBase64),
  });
}

/** Parses an evidence file, well-formed checkpoints included; nothing is verified. Throws {@link ParseError}. */
export function parseLogEvidence(bytes: Uint8Array): LogEvidence {
  const field = "evidence";
  const form = { field, firstLine: EVIDENCE_FIRST_LINE, words: WORDS, maxLength: MAX_LENGTH };
  const { before, notes, after } = parseNotesFile(bytes, form);
  const [vkey, otherVkey] = before.map((line) => line.slice(KEY.length));
  const [seen, shown] = notes;
  const areKeys = before.every((line) => line.startsWith(KEY)) && before.length <= 2 && vkey !== otherVkey;
  const isWhole = vkey !== undefined && areKeys && notes.length === 2;
  if (!isWhole || seen?.word !== "seen" || shown?.word !== "shown")
    throw new ParseError("MISSING", field, { expected: "a line each for vkey, seen and shown, in order" });
  if (after.length > MAX_PROOF_HASHES)
    throw new ParseError("TOO_LARGE", "evidence proof", {
      expected: `at most ${MAX_PROOF_HASHES} hashes`,
      found: String(after.length),
    });
  for (const { note } of notes) parseCheckpoint(parseNote(note).unverifiedText);
  const keys = otherVkey === undefined ? { vkey } : { vkey, otherVkey };
  return {
    ...keys,
    seen: seen.note,
    shown: shown.note,
    proof: after.map((line) => parseProofHash(line, "evidence proof hash")),
  };
}

/** Checks signatures and proof; throws ParseError for malformed keys and LogError for what the keys did not sign. */
export function judgeLogEvidence(evidence: LogEvidence): EvidenceVerdict {
  const { proof, ...notes } = evidence;
  const verifiers = noteVerifiers(keysOf(evidence).map(parseOneName(evidence.vkey)));
  const { origin } = parseCheckpoint(parseNote(notes.seen).unverifiedText);
  const seen = openCheckpoint(notes.seen, verifiers, origin);
  const shown = openCheckpoint(notes.shown, verifiers, origin);
  const [smaller, larger] = seen.size <= shown.size ? [seen, shown] : [shown, seen];
  if (smaller.size === larger.size) {
    const isSame = equalBytes(smaller.root, larger.root);
    return { outcome: isSame ? "no contradiction" : "two roots", seen, shown };
  }
  const prefixRoot = smaller.size === 0n ? EMPTY_ROOT : provenPrefixRoot(smaller.size, larger, proof);
  if (prefixRoot === undefined && proof.length > 0)
    throw new LogError("CORRUPT_OBJECT", "the proof in the evidence does not lead to the larger tree's root");
  const differs = prefixRoot !== undefined && !equalBytes(prefixRoot, smaller.root);
  const outcome = differs ? "another beginning" : "no contradiction";
  return { outcome, seen, shown, ...(prefixRoot === undefined ? {} : { prefixRoot }) };
}

const keysOf = ({ vkey, otherVkey }: LogEvidence): string[] =>
  otherVkey === undefined ? [vkey] : [vkey, otherVkey];

/** Two keys are of one log only under one name. */
const parseOneName =
  (first: string) =>
  (text: string): Vkey => {
    const [{ name }, vkey] = [parseVkey(first), parseVkey(text)];
    if (vkey.name === name) return vkey;
    throw new ParseError("OUT_OF_RANGE", "evidence vkey", { expected: quote(name), found: quote(vkey.name) });
  };
