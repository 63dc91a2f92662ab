/**
 * The offline proof that an entry is in a log: index, inclusion hashes and signed checkpoint in one text file
 * (`.tlog-proof`), with optional extra data that nothing authenticates; ours is the entry itself. C2SP tlog-proof,
 * "Format" (draft of 2026-05).
 * @module
 */
import {
  concatBytes,
  formatBase64,
  parseBase64,
  parseDecimal,
  ParseError,
  quote,
  utf8,
  type Sha256,
} from "@bootproof/bytes";
import { splitHeadedNote } from "./headed-note.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { MAX_NOTE_SIZE, parseNote } from "./note.ts";
import { parseProofHash } from "./proof-hash.ts";
import { MAX_ENTRY_LENGTH } from "./tile.ts";

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
/** A tree of 2^63 entries has paths of 63 hashes. */
const MAX_PROOF_HASHES = 63;
/** Extra data may hold an entry and more beside it. */
const MAX_EXTRA_LENGTH = 4 * MAX_ENTRY_LENGTH;
/** Largest proof file read. */
export const MAX_PROOF_SIZE: number = MAX_NOTE_SIZE + 2 * MAX_EXTRA_LENGTH;

/** An entry's place in a log, with what is needed to check it offline. */
export interface TlogProof {
  /** Unauthenticated; whoever uses it as the entry hashes it first. */
  readonly extra?: Uint8Array;
  readonly index: bigint;
  /** Inclusion proof, leaf side first. */
  readonly hashes: readonly Sha256[];
  /** The signed checkpoint verbatim: a note. */
  readonly checkpoint: Uint8Array;
}

/** Parses a proof file, well-formed checkpoint included; nothing is verified. Throws {@link ParseError}. */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  if (bytes.length > MAX_PROOF_SIZE)
    throw new ParseError("TOO_LARGE", "tlog-proof", {
      expected: `at most ${MAX_PROOF_SIZE} bytes`,
      found: `${bytes.length}`,
    });
  const names = { field: "tlog-proof", expected: "an empty line before the checkpoint" };
  const { lines: head, note: checkpoint } = splitHeadedNote(bytes, names);
  const [first, ...lines] = head;
  if (first !== FIRST_LINE)
    throw new ParseError("BAD_MAGIC", "tlog-proof", { offset: 0, expected: quote(FIRST_LINE) });
  const extra = takeField(lines, "extra");
  const index = takeField(lines, "index");
  if (index === undefined)
    throw new ParseError("MISSING", "tlog-proof index", { found: quote(lines[0] ?? "") });
  parseCheckpoint(parseNote(checkpoint).unverifiedText);
  return {
    ...(extra === undefined ? {} : { extra: parseExtra(extra) }),
    index: parseDecimal(index, "tlog-proof index"),
    hashes: parseHashes(lines),
    checkpoint,
  };
}

/** The bytes of a proof file: the mirror of {@link parseTlogProof}. */
export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): Uint8Array<ArrayBuffer> {
  const lines = [
    FIRST_LINE,
    ...(extra === undefined ? [] : [`extra ${formatBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map(formatBase64),
    "",
    "",
  ];
  return concatBytes(utf8(lines.join("\n")), checkpoint);
}

function takeField(lines: string[], key: string): string | undefined {
  const [line] = lines;
  if (line?.startsWith(`${key} `) !== true) return undefined;
  lines.shift();
  return line.slice(key.length + 1);
}

function parseExtra(text: string): Uint8Array {
  const extra = parseBase64(text, "tlog-proof extra");
  if (extra.length > MAX_EXTRA_LENGTH)
    throw new ParseError("TOO_LARGE", "tlog-proof extra", {
      expected: `at most ${MAX_EXTRA_LENGTH} bytes`,
      found: `${extra.length}`,
    });
  return extra;
}

function parseHashes(lines: readonly string[]): Sha256[] {
  if (lines.length > MAX_PROOF_HASHES)
    throw new ParseError("TOO_LARGE", "tlog-proof hashes", {
      expected: `at most ${MAX_PROOF_HASHES}`,
      found: `${lines.length}`,
    });
  return lines.map((line) => parseProofHash(line, "tlog-proof hash"));
}
