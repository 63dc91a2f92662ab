/**
 * Checkpoints: the text that a log signs. Line 1 the origin, line 2 the tree size in decimal, line 3 the root hash in
 * base64, then optional extension lines. C2SP tlog-checkpoint v1.0.0, "Note text".
 * @module
 */
import {
  asDigest,
  formatBase64,
  parseBase64,
  parseDecimal,
  ParseError,
  parseUtf8,
  quote,
  utf8,
  type Sha256,
} from "@bootproof/bytes";
import { LogError } from "./log-error.ts";
import { openNote, type NoteVerifier, type OpenedNote } from "./note.ts";

/** What a log says about itself: this many entries hash to this root. */
export interface Checkpoint {
  readonly origin: string;
  /** At most 2^63-1, as Go readers take no more. */
  readonly size: bigint;
  readonly root: Sha256;
  /** Usually none: they are not auditable. */
  readonly extensions: readonly string[];
}

/** A checkpoint whose signatures have been checked, with the note it came in. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Uint8Array;
  readonly opened: OpenedNote;
}

/** Parses a checkpoint's text (the part of the note that is signed); throws {@link ParseError}. */
export function parseCheckpoint(text: Uint8Array): Checkpoint {
  const whole = parseUtf8(text, "checkpoint");
  if (!whole.endsWith("\n"))
    throw new ParseError("TRUNCATED", "checkpoint", { expected: "a final line end" });
  const [origin, size, root, ...extensions] = whole.slice(0, -1).split("\n");
  if (root === undefined || origin === undefined || size === undefined)
    throw new ParseError("MISSING", "checkpoint", { expected: "origin, size and root", found: quote(whole) });
  if (origin === "") throw new ParseError("MISSING", "checkpoint origin");
  if (extensions.includes("")) throw new ParseError("NOT_CANONICAL", "checkpoint extension line");
  return {
    origin,
    size: parseDecimal(size, "checkpoint size"),
    root: asDigest("sha256", parseBase64(root, "checkpoint root"), "checkpoint root"),
    extensions,
  };
}

/** The text of a checkpoint: the mirror of {@link parseCheckpoint}. */
export function formatCheckpoint(
  checkpoint: Omit<Checkpoint, "extensions"> & Partial<Checkpoint>,
): Uint8Array<ArrayBuffer> {
  const { origin, size, root, extensions = [] } = checkpoint;
  const text = utf8([origin, String(size), formatBase64(root), ...extensions, ""].join("\n"));
  const parsed = parseCheckpoint(text);
  if (parsed.origin !== origin || parsed.extensions.length !== extensions.length)
    throw new ParseError("NOT_CANONICAL", "checkpoint", { expected: "lines without line ends" });
  return text;
}

/**
 * Opens a signed checkpoint: one of `verifiers` signed it, no known signature fails, and its origin is `origin`.
 * Throws {@link ParseError} for malformed bytes and {@link LogError} for what does not verify.
 */
export function openCheckpoint(
  note: Uint8Array,
  verifiers: readonly NoteVerifier[],
  origin: string,
): SignedCheckpoint {
  const opened = openNote(note, verifiers);
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint.origin !== origin)
    throw new LogError("WRONG_LOG", "the checkpoint is of another log", {
      expected: quote(origin),
      found: quote(checkpoint.origin),
    });
  return { ...checkpoint, note, opened };
}
