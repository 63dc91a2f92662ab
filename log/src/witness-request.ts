/**
 * What a log asks of a witness: the line `old <size>`, up to 63 lines of a consistency proof, a blank line, and the
 * signed checkpoint. C2SP tlog-witness v1.0.0, "add-checkpoint".
 * @module
 */
import {
  concatBytes,
  formatBase64,
  parseDecimal,
  ParseError,
  quote,
  utf8,
  type Sha256,
} from "@bootproof/bytes";
import { splitHeadedNote } from "./headed-note.ts";
import { parseProofHash } from "./proof-hash.ts";

/** Path of the call under a witness's submission prefix. */
export const ADD_CHECKPOINT_PATH = "add-checkpoint";
/** Largest request read, in bytes: a full proof, and a checkpoint with a few post-quantum signatures. */
export const MAX_ADD_CHECKPOINT_SIZE = 65_536;
const MAX_PROOF_LINES = 63;
/** Longest part before the checkpoint: `old` and 19 digits, 63 lines of 44 characters, and their line ends. */
export const MAX_HEAD_LENGTH: number = 24 + MAX_PROOF_LINES * 45;
const OLD = "old ";

/** A request to cosign a checkpoint; nothing in it has been checked. */
export interface AddCheckpoint {
  /** Size of the tree that the witness is thought to have cosigned last. */
  readonly oldSize: bigint;
  /** Consistency proof from `oldSize` to the checkpoint's size. */
  readonly proof: readonly Sha256[];
  /** The signed checkpoint. */
  readonly note: Uint8Array;
}

/** Parses a request; throws {@link ParseError}. */
export function parseAddCheckpoint(bytes: Uint8Array): AddCheckpoint {
  if (bytes.length > MAX_ADD_CHECKPOINT_SIZE)
    throw new ParseError("TOO_LARGE", "add-checkpoint request", {
      expected: `at most ${MAX_ADD_CHECKPOINT_SIZE} bytes`,
      found: `${bytes.length}`,
    });
  const names = {
    field: "add-checkpoint request",
    blankLine: "add-checkpoint blank line",
    expected: `one after at most ${MAX_PROOF_LINES} hashes`,
  };
  const { lines: head, note } = splitHeadedNote(bytes, names, MAX_HEAD_LENGTH);
  const [old, ...lines] = head;
  if (old?.startsWith(OLD) !== true)
    throw new ParseError("BAD_MAGIC", "add-checkpoint old size", {
      expected: "old <size>",
      found: quote(old ?? ""),
    });
  if (lines.length > MAX_PROOF_LINES)
    throw new ParseError("TOO_LARGE", "add-checkpoint proof", {
      expected: `at most ${MAX_PROOF_LINES} hashes`,
      found: `${lines.length}`,
    });
  const oldSize = parseDecimal(old.slice(OLD.length), "add-checkpoint old size");
  const proof = lines.map((line) => parseProofHash(line, "add-checkpoint proof hash"));
  return { oldSize, proof, note };
}

/** The bytes of a request: the mirror of {@link parseAddCheckpoint}. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): Uint8Array<ArrayBuffer> {
  const lines = [`${OLD}${oldSize}`, ...proof.map(formatBase64), "", ""];
  return concatBytes(utf8(lines.join("\n")), note);
}
