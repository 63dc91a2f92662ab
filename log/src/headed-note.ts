/**
 * What C2SP files that end with a checkpoint have in common: lines of text, a blank line, and a note taken verbatim.
 * @module
 */
import { ParseError, parseUtf8 } from "@bootproof/bytes";

const LF = 0x0a;

/** Lines before a note, and the note. */
export interface HeadedNote {
  readonly lines: readonly string[];
  /** The bytes behind the blank line. */
  readonly note: Uint8Array;
}

/** How errors name what is read. */
export interface HeadedNoteNames {
  /** The whole. */
  readonly field: string;
  /** What is missing without a blank line; the whole when absent. */
  readonly blankLine?: string;
  /** Where that line should be, in words. */
  readonly expected: string;
}

/** Splits bytes at their first blank line, which must begin in the first `limit` bytes; throws {@link ParseError}. */
export function splitHeadedNote(
  bytes: Uint8Array,
  { field, blankLine = field, expected }: HeadedNoteNames,
  limit: number = bytes.length,
): HeadedNote {
  const head = bytes.subarray(0, limit);
  const end = head.findIndex((byte, at) => byte === LF && bytes[at + 1] === LF);
  if (end < 0) throw new ParseError("MISSING", blankLine, { expected });
  return { lines: parseUtf8(bytes.subarray(0, end), field).split("\n"), note: bytes.subarray(end + 2) };
}
