/**
 * What a client remembers of a log between two runs, so that the log can neither shrink nor show it another tree: the
 * newest checkpoint that was proven to continue all seen before, and those of offline proofs that nothing connects to
 * it yet. The next time the log itself is read, its tree must hold them all.
 *
 * Form of its file: the line below, `vkey <key>`, `proven <length>` if there is one, `apart <length>` for each of the
 * others, a blank line, and the signed checkpoints one after the other.
 * @module
 */
import { equalBytes, formatVkey, ParseError, type Sha256 } from "@bootproof/bytes";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { formatLogEvidence } from "./log-evidence.ts";
import { LogError } from "./log-error.ts";
import { LogReader } from "./log-reader.ts";
import { formatNote, formatSignatureLine, MAX_NOTE_SIZE, parseNote } from "./note.ts";
import { formatNotesFile, parseNotesFile, type WordedNote } from "./notes-file.ts";
import { makePrefixProof } from "./prefix-proof.ts";
import type { FetchObject } from "./storage.ts";
import { noteVerifiers } from "./verifier.ts";

const FIRST_LINE = "bootproof.log/seen@v1";
const WORDS = ["proven", "apart"] as const;
/** Checkpoints kept that nothing connects yet. */
export const MAX_APART = 64;
/** A log's own signature on three lines takes a few hundred bytes; extension lines may take more. */
const MAX_KEPT_NOTE = 16_384;
const MAX_LENGTH = MAX_NOTE_SIZE + MAX_APART * (MAX_KEPT_NOTE + 16) + 4096;

/** What is remembered of one log: of an origin with a key. */
export interface SeenLog {
  readonly vkey: string;
  readonly origin: string;
  /** The newest checkpoint that continues all that were seen, but for those apart. */
  readonly proven?: SignedCheckpoint;
  /** Checkpoints that nothing connects yet, in order of size. */
  readonly apart: readonly SignedCheckpoint[];
}

/** Two checkpoints of one log of which the later does not continue the earlier. */
export interface Contradiction {
  /** The log shrank; it signed two roots for one size; or its tree does not begin with the one seen. */
  readonly kind: "shrank" | "two roots" | "another beginning";
  readonly seen: SignedCheckpoint;
  readonly shown: SignedCheckpoint;
  /** The root that the larger tree has at the smaller one's size, where that was computed. */
  readonly prefixRoot?: Sha256;
  /** The evidence file; of a log that merely shrank it proves nothing against its signer. */
  readonly evidence: Uint8Array;
}

/** Parses what was remembered and checks every signature again; throws {@link ParseError} and {@link LogError}. */
export function openSeenLog(bytes: Uint8Array, vkey: string, origin: string): SeenLog {
  const field = "remembered checkpoints";
  const form = { field, firstLine: FIRST_LINE, words: WORDS, maxLength: MAX_LENGTH };
  const { before, notes, after } = parseNotesFile(bytes, form);
  if (before.length !== 1 || before[0] !== `vkey ${vkey}` || after.length > 0)
    throw new ParseError("MISSING", field, { expected: `vkey ${vkey}`, found: before[0] ?? "" });
  const isInOrder = notes.every(
    ({ word }, at) => (word === "proven") === (at === 0 && notes[0]?.word === "proven"),
  );
  if (!isInOrder || notes.length === 0 || notes.length > MAX_APART + 1)
    throw new ParseError("NOT_CANONICAL", field, { expected: "at most one proven, before those apart" });
  const verifiers = noteVerifiers([vkey]);
  const checkpoints = notes.map(({ note }) => openCheckpoint(note, verifiers, origin));
  const [proven, ...rest] = checkpoints;
  const seen: SeenLog =
    notes[0]?.word === "proven" && proven !== undefined
      ? { vkey, origin, proven, apart: rest }
      : { vkey, origin, apart: checkpoints };
  if (seen.apart.some(({ size }, at) => size <= (seen.apart[at - 1]?.size ?? -1n)))
    throw new ParseError("NOT_CANONICAL", field, { expected: "those apart in order of size" });
  return seen;
}

/** The bytes of what is remembered: the mirror of {@link openSeenLog}. */
export function formatSeenLog({ vkey, proven, apart }: SeenLog): Uint8Array<ArrayBuffer> {
  const notes: WordedNote[] = apart.map(({ note }) => ({ word: "apart", note }));
  if (proven !== undefined) notes.unshift({ word: "proven", note: proven.note });
  return formatNotesFile({ firstLine: FIRST_LINE, before: [`vkey ${vkey}`], notes, after: [] });
}

/**
 * Demands that the tree shown now holds every tree seen before. `open` reads the tree shown; it is called only when a
 * smaller one was seen. What contradicts is returned; files of the log that are missing or wrong throw {@link LogError}.
 * It may be signed by another key of the log than the one that is remembered: a new key does not excuse another tree.
 */
export async function proveGrowth(
  { vkey, proven, apart }: SeenLog,
  shown: SignedCheckpoint,
  open: () => Promise<LogReader>,
  fetch: FetchObject,
): Promise<Contradiction | undefined> {
  const all = proven === undefined ? apart : [proven, ...apart];
  const twin = all.find((seen) => seen.size === shown.size && !equalBytes(seen.root, shown.root));
  if (twin !== undefined) return contradiction("two roots", { vkey, seen: twin, shown });
  for (const seen of all.filter(({ size }) => size < shown.size)) {
    const found = await comparePrefix({ vkey, seen, shown }, await open());
    if (found !== undefined) return found;
  }
  for (const seen of all.filter(({ size }) => size > shown.size))
    return await tellShrinkingFromFork({ vkey, seen, shown }, fetch);
  return undefined;
}

/** What is remembered once a checkpoint has been proven to continue all that were seen. */
export function rememberProven({ vkey, origin }: SeenLog, shown: SignedCheckpoint): SeenLog {
  return { vkey, origin, proven: trimmed(vkey, shown), apart: [] };
}

/**
 * What is remembered after seeing a checkpoint that nothing connects, as in an offline proof; or a contradiction. What
 * only another key of the log signed may contradict too, but is not remembered here.
 */
export function rememberApart(seen: SeenLog, shown: SignedCheckpoint): SeenLog | Contradiction {
  const { vkey, proven, apart } = seen;
  const same = [...(proven === undefined ? [] : [proven]), ...apart].find(({ size }) => size === shown.size);
  if (same !== undefined)
    return equalBytes(same.root, shown.root) ? seen : contradiction("two roots", { vkey, seen: same, shown });
  const kept = trimmed(vkey, shown);
  if (!isSignedBy(vkey, shown) || kept.note.length > MAX_KEPT_NOTE) return seen;
  const more = [...apart, kept].sort((a, b) => (a.size < b.size ? -1 : 1));
  return { ...seen, apart: more.slice(-MAX_APART) };
}

interface Pair {
  readonly vkey: string;
  readonly seen: SignedCheckpoint;
  readonly shown: SignedCheckpoint;
}

/** Looks whether the larger tree of a pair, which `reader` reads, begins with the smaller one. */
async function comparePrefix(pair: Pair, reader: LogReader): Promise<Contradiction | undefined> {
  const { seen, shown } = pair;
  const smaller = seen.size < shown.size ? seen : shown;
  const prefixRoot = await reader.rootAt(smaller.size);
  if (equalBytes(prefixRoot, smaller.root)) return undefined;
  const { size } = reader.head;
  const proof = smaller.size === 0n ? [] : await makePrefixProof(reader.tiles, smaller.size, size);
  return contradiction("another beginning", pair, proof, prefixRoot);
}

/** A cache that answers with an old file is not yet a log that lies; the tree seen before tells, where it is still served. */
async function tellShrinkingFromFork(pair: Pair, fetch: FetchObject): Promise<Contradiction> {
  const shrank = contradiction("shrank", pair);
  try {
    return (await comparePrefix(pair, await LogReader.open(fetch, pair.seen))) ?? shrank;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return shrank;
  }
}

function contradiction(
  kind: Contradiction["kind"],
  { vkey, seen, shown }: Pair,
  proof: readonly Sha256[] = [],
  prefixRoot?: Sha256,
): Contradiction {
  const other = isSignedBy(vkey, shown) ? undefined : shown.opened.verified[0]?.verifier.vkey;
  const keys = other === undefined ? { vkey } : { vkey, otherVkey: formatVkey(other) };
  const evidence = formatLogEvidence({ ...keys, seen: seen.note, shown: shown.note, proof });
  return { kind, seen, shown, evidence, ...(prefixRoot === undefined ? {} : { prefixRoot }) };
}

const isSignedBy = (vkey: string, { opened }: SignedCheckpoint): boolean =>
  opened.verified.some(({ verifier }) => formatVkey(verifier.vkey) === vkey);

/** A checkpoint with nothing but the log's own signature: cosignatures have done their work. */
function trimmed(vkey: string, checkpoint: SignedCheckpoint): SignedCheckpoint {
  const note = parseNote(checkpoint.note);
  const own = note.signatures.filter(({ name, keyId }) => vkey.startsWith(`${name}+${keyId}+`));
  const lines = [...new Map(own.map((line) => [formatSignatureLine(line), line])).values()];
  return { ...checkpoint, note: formatNote(note.unverifiedText, lines) };
}
