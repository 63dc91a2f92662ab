/**
 * What our own files that keep signed checkpoints have in common: a first line, lines of text, a blank line, and the
 * checkpoints verbatim one after the other. A note has no end of its own, so each has a line with its length.
 * @module
 */
import { concatBytes, parseDecimal, ParseError, quote, utf8 } from "@bootproof/bytes";
import { splitHeadedNote } from "./headed-note.ts";
import { MAX_NOTE_SIZE } from "./note.ts";

/** A note and the word before its length. */
export interface WordedNote {
  readonly word: string;
  readonly note: Uint8Array;
}

/** A file with notes in it. */
export interface NotesFile {
  readonly firstLine: string;
  /** Lines that are not of notes, in order; they come before and after those. */
  readonly before: readonly string[];
  readonly notes: readonly WordedNote[];
  readonly after: readonly string[];
}

/** What is expected of a file. */
export interface NotesFileForm {
  readonly field: string;
  readonly firstLine: string;
  /** The words that notes may have. */
  readonly words: readonly string[];
  readonly maxLength: number;
}

/** The bytes of a file. */
export function formatNotesFile({ firstLine, before, notes, after }: NotesFile): Uint8Array<ArrayBuffer> {
  const lengths = notes.map(({ word, note }) => `${word} ${note.length}`);
  const head = [firstLine, ...before, ...lengths, ...after, "", ""].join("\n");
  return concatBytes(utf8(head), ...notes.map(({ note }) => note));
}

/** Parses a file into its lines and notes, of which nothing is checked; throws {@link ParseError}. */
export function parseNotesFile(bytes: Uint8Array, form: NotesFileForm): NotesFile {
  const { field, words } = form;
  if (bytes.length > form.maxLength)
    throw new ParseError("TOO_LARGE", field, {
      expected: `at most ${form.maxLength} bytes`,
      found: String(bytes.length),
    });
  const { lines: head, note: rest } = splitHeadedNote(bytes, { field, expected: "a blank line" });
  const [firstLine, ...lines] = head;
  if (firstLine !== form.firstLine)
    throw new ParseError("BAD_MAGIC", field, { expected: form.firstLine, found: quote(firstLine ?? "") });
  const wordOf = (line: string): string | undefined => words.find((word) => line.startsWith(`${word} `));
  const start = lines.findIndex((line) => wordOf(line) !== undefined);
  const from = start < 0 ? lines.length : start;
  const count = lines.slice(from).findIndex((line) => wordOf(line) === undefined);
  const to = count < 0 ? lines.length : from + count;
  const lengths = lines.slice(from, to).map((line) => {
    const word = wordOf(line) ?? "";
    return {
      word,
      length: parseDecimal(line.slice(word.length + 1), `${field} ${word}`, BigInt(MAX_NOTE_SIZE)),
    };
  });
  return {
    firstLine,
    before: lines.slice(0, from),
    notes: cut(rest, lengths, field),
    after: lines.slice(to),
  };
}

function cut(
  bytes: Uint8Array,
  lengths: readonly { readonly word: string; readonly length: bigint }[],
  field: string,
): WordedNote[] {
  const total = lengths.reduce((sum, { length }) => sum + length, 0n);
  if (total !== BigInt(bytes.length))
    throw new ParseError("OUT_OF_RANGE", `${field} notes`, {
      expected: `${total} bytes`,
      found: String(bytes.length),
    });
  let at = 0;
  return lengths.map(({ word, length }) => {
    const note = bytes.subarray(at, at + Number(length));
    at += Number(length);
    return { word, note };
  });
}
