/**
 * Evidence against a log: two checkpoints that one key signed and, when they are of different sizes, the proof that the
 * larger tree does not begin with the smaller one. Whoever knows the log's key can check it offline. Form: the line
 * below, `vkey <key>`, `seen <length>` and `shown <length>` in bytes, the hashes of a prefix proof in base64, a blank
 * line, and both signed checkpoints verbatim.
 * @module
 */
import { asDigest, equalBytes, formatBase64, parseBase64, ParseError, type Sha256 } from "@bootproof/bytes";
import { openCheckpoint, parseCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { LogError } from "./log-error.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import { MAX_NOTE_SIZE, parseNote } from "./note.ts";
import { formatNotesFile, parseNotesFile } from "./notes-file.ts";
import { provenPrefixRoot } from "./prefix-proof.ts";
import { HASH_LENGTH } from "./tile.ts";
import { noteVerifiers } from "./verifier.ts";

/** First line of the file. */
export const EVIDENCE_FIRST_LINE = "bootproof.log/evidence@v1";
const WORDS = ["seen", "shown"] as const;
const MAX_PROOF_HASHES = 64;
const MAX_LENGTH = 2 * MAX_NOTE_SIZE + 8192;

/** Two checkpoints that should not both be; nothing in it is checked. */
export interface LogEvidence {
  /** The key that signed both; whether it is the log's is for whoever reads this to know. */
  readonly vkey: string;
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
export function formatLogEvidence({ vkey, seen, shown, proof }: LogEvidence): Uint8Array<ArrayBuffer> {
  const notes = [
    { word: "seen", note: seen },
    { word: "shown", note: shown },
  ];
  return formatNotesFile({
    firstLine: EVIDENCE_FIRST_LINE,
    before: [`vkey ${vkey}`],
    notes,
    after: proof.map(formatBase64),
  });
}

/** Parses an evidence file, well-formed checkpoints included; nothing is verified. Throws {@link ParseError}. */
export function parseLogEvidence(bytes: Uint8Array): LogEvidence {
  const field = "evidence";
  const form = { field, firstLine: EVIDENCE_FIRST_LINE, words: WORDS, maxLength: MAX_LENGTH };
  const { before, notes, after } = parseNotesFile(bytes, form);
  const [key = "", ...others] = before;
  const [seen, shown] = notes;
  const isWhole = key.startsWith("vkey ") && others.length === 0 && notes.length === 2;
  if (!isWhole || seen?.word !== "seen" || shown?.word !== "shown")
    throw new ParseError("MISSING", field, { expected: "a line each for vkey, seen and shown, in order" });
  if (after.length > MAX_PROOF_HASHES)
    throw new ParseError("TOO_LARGE", "evidence proof", {
      expected: `at most ${MAX_PROOF_HASHES} hashes`,
      found: String(after.length),
    });
  for (const { note } of notes) parseCheckpoint(parseNote(note).unverifiedText);
  return { vkey: key.slice(5), seen: seen.note, shown: shown.note, proof: after.map(parseHash) };
}

/** Checks signatures and proof; throws ParseError for malformed keys and LogError for what the key did not sign. */
export function judgeLogEvidence({ vkey, proof, ...notes }: LogEvidence): EvidenceVerdict {
  const verifiers = noteVerifiers([vkey]);
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

function parseHash(line: string): Sha256 {
  const bytes = parseBase64(line, "evidence proof hash");
  if (bytes.length !== HASH_LENGTH)
    throw new ParseError("OUT_OF_RANGE", "evidence proof hash", {
      expected: `${HASH_LENGTH} bytes`,
      found: `${bytes.length}`,
    });
  return asDigest("sha256", bytes);
}
