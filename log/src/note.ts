/**
 * Signed notes: UTF-8 text, a blank line, and signature lines `— <key name> <base64 of key ID and signature>`.
 * C2SP signed-note v1.0.0, "Format" and "Verifying". The text ends at the LAST blank line.
 * @module
 */
import {
  concatBytes,
  equalBytes,
  formatBase64,
  formatHex,
  parseBase64,
  ParseError,
  parseHex,
  parseUtf8,
  quote,
  utf8,
  checkKeyName,
  type Vkey,
} from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import { LogError } from "./log-error.ts";

/** Largest note read, in bytes: Go's x/mod takes no larger one either. */
export const MAX_NOTE_SIZE = 1_000_000;
/** Most signature lines read: x/mod's limit; the specification asks for at least 16. */
export const MAX_SIGNATURES = 100;
const LINE_START = "\u2014 ";
const LF = 0x0a;

/** One signature line. */
export interface NoteSignature {
  readonly name: string;
  /** Eight lower-case hex digits. */
  readonly keyId: string;
  /** What follows the key ID; its form is a matter of the key's type. */
  readonly signature: Uint8Array;
}

/** A well-formed note, none of whose signatures has been checked. */
export interface UntrustedNote {
  /** The signed text including its final line end. */
  readonly unverifiedText: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

/** Answers whether a signature line is its key's. */
export interface NoteVerifier {
  readonly vkey: Vkey;
  /** Whether `signature` (without key ID) is this key's over the note text; never throws. */
  verify(text: Uint8Array, signature: Uint8Array): boolean;
  /** POSIX seconds that a verified signature carries, if its type carries any. */
  timestamp(signature: Uint8Array): bigint | undefined;
}

/** A signature that verified, and whose. */
export interface VerifiedSignature {
  readonly verifier: NoteVerifier;
  /** POSIX seconds of a cosignature. */
  readonly timestamp?: bigint;
}

/** What each signature line turned out to be. */
export interface CheckedSignatures {
  /** One for each known key, however often its line is repeated. */
  readonly verified: readonly VerifiedSignature[];
  /** Lines of known keys that do not verify: reason to reject the note. */
  readonly failed: readonly NoteSignature[];
  /** Lines of keys nobody asked about: to be ignored. */
  readonly unknown: readonly NoteSignature[];
}

/** A note with at least one verified signature and none of a known key that fails. */
export interface OpenedNote extends CheckedSignatures {
  readonly text: Uint8Array;
}

/** Parses a note without checking signatures; throws {@link ParseError}. */
export function parseNote(bytes: Uint8Array): UntrustedNote {
  if (bytes.length > MAX_NOTE_SIZE)
    throw new ParseError("TOO_LARGE", "note", {
      expected: `at most ${MAX_NOTE_SIZE} bytes`,
      found: `${bytes.length}`,
    });
  refuseControlCharacters(bytes);
  const blank = lastBlankLine(bytes);
  if (blank < 0) throw new ParseError("MISSING", "note blank line");
  parseUtf8(bytes.subarray(0, blank + 1), "note text");
  const signatures = parseSignatureLines(bytes.subarray(blank + 2), blank + 2);
  return { unverifiedText: bytes.subarray(0, blank + 1), signatures };
}

/** The bytes of a note: the mirror of {@link parseNote}. */
export function formatNote(text: Uint8Array, signatures: readonly NoteSignature[]): Uint8Array<ArrayBuffer> {
  return concatBytes(text, utf8(`\n${signatures.map(formatSignatureLine).join("")}`));
}

/** One signature line with its line end. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  return `${LINE_START}${name} ${formatBase64(concatBytes(parseHex(keyId, "key ID"), signature))}\n`;
}

/** Parses signature lines as a witness returns them; `base` is their offset, for errors. Throws {@link ParseError}. */
export function parseSignatureLines(bytes: Uint8Array, base = 0): readonly NoteSignature[] {
  if (bytes.at(-1) !== LF)
    throw new ParseError("TRUNCATED", "note signatures", {
      offset: base + bytes.length,
      expected: "a signature line and a line end",
    });
  const lines = parseUtf8(bytes, "note signatures").slice(0, -1).split("\n");
  if (lines.length > MAX_SIGNATURES)
    throw new ParseError("TOO_LARGE", "note signatures", {
      expected: `at most ${MAX_SIGNATURES} lines`,
      found: `${lines.length}`,
    });
  return lines.map(parseSignatureLine);
}

/** Checks every line against the known keys; never throws. */
export function checkSignatures(note: UntrustedNote, verifiers: readonly NoteVerifier[]): CheckedSignatures {
  const verified = new Map<NoteVerifier, VerifiedSignature>();
  const failed: NoteSignature[] = [];
  const unknown: NoteSignature[] = [];
  for (const line of note.signatures) {
    const known = verifiers.filter(({ vkey }) => vkey.name === line.name && vkey.keyId === line.keyId);
    const verifier = known.find((candidate) => candidate.verify(note.unverifiedText, line.signature));
    if (known.length === 0) unknown.push(line);
    else if (verifier === undefined) failed.push(line);
    else if (!verified.has(verifier)) verified.set(verifier, withTimestamp(verifier, line.signature));
  }
  return { verified: [...verified.values()], failed, unknown };
}

/** Parses a note and demands a verified signature of a known key and no failing one; throws {@link LogError}. */
export function openNote(bytes: Uint8Array, verifiers: readonly NoteVerifier[]): OpenedNote {
  const note = parseNote(bytes);
  const checked = checkSignatures(note, verifiers);
  const [failed] = checked.failed;
  if (failed !== undefined)
    throw new LogError("BAD_SIGNATURE", `the signature by ${failed.name}+${failed.keyId} does not verify`);
  if (checked.verified.length === 0) throw noKnownKey(note, verifiers);
  return { text: note.unverifiedText, ...checked };
}

/** Signs `text`, which must end in a line end; throws {@link ParseError} when it cannot be a note's text. */
export async function signNote(
  text: Uint8Array,
  signers: readonly Signer[],
): Promise<Uint8Array<ArrayBuffer>> {
  const signatures = await Promise.all(
    signers.map(async (signer) => ({
      name: signer.name,
      keyId: signer.keyId,
      signature: await signer.sign(text),
    })),
  );
  const bytes = formatNote(text, signatures);
  if (!equalBytes(parseNote(bytes).unverifiedText, text))
    throw new ParseError("NOT_CANONICAL", "note text", { expected: "a final line end" });
  return bytes;
}

/** A note with more signature lines after its own; throws {@link ParseError} when it becomes too large. */
export function addSignatures(note: Uint8Array, lines: readonly NoteSignature[]): Uint8Array<ArrayBuffer> {
  const { unverifiedText, signatures } = parseNote(note);
  const bytes = formatNote(unverifiedText, [...signatures, ...lines]);
  parseNote(bytes);
  return bytes;
}

function parseSignatureLine(line: string): NoteSignature {
  const fail = (expected: string): ParseError =>
    new ParseError("BAD_ENCODING", "note signature line", { expected, found: quote(line) });
  if (!line.startsWith(LINE_START)) throw fail("an em dash and a space");
  const [name, encoded, ...rest] = line.slice(LINE_START.length).split(" ");
  if (name === undefined || encoded === undefined || rest.length > 0) throw fail("a key name and base64");
  checkKeyName(name, "note signature key name");
  const bytes = parseBase64(encoded, "note signature");
  if (bytes.length < 5) throw fail("a key ID and at least one byte");
  return { name, keyId: formatHex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
}

function withTimestamp(verifier: NoteVerifier, signature: Uint8Array): VerifiedSignature {
  const timestamp = verifier.timestamp(signature);
  return timestamp === undefined ? { verifier } : { verifier, timestamp };
}

function noKnownKey(note: UntrustedNote, verifiers: readonly NoteVerifier[]): LogError {
  return new LogError("BAD_SIGNATURE", "no known key signed this note", {
    expected: verifiers.map(({ vkey }) => `${vkey.name}+${vkey.keyId}`).join(" or "),
    found: note.signatures.map(({ name, keyId }) => `${name}+${keyId}`).join(", "),
  });
}

function refuseControlCharacters(bytes: Uint8Array): void {
  const offset = bytes.findIndex((byte) => byte < 0x20 && byte !== LF);
  if (offset >= 0)
    throw new ParseError("BAD_ENCODING", "note", {
      offset,
      expected: "no control character but line ends",
      found: `0x${(bytes[offset] ?? 0).toString(16).padStart(2, "0")}`,
    });
}

function lastBlankLine(bytes: Uint8Array): number {
  for (let index = bytes.length - 2; index >= 0; index--)
    if (bytes[index] === LF && bytes[index + 1] === LF) return index;
  return -1;
}
