/**
 * The signatures of a log under its own trees: one Ed25519 line, which C2SP tlog-tiles asks of every public log, and
 * further ones: the next key while keys are rotated, and ML-DSA-44 (type 0x06), which signs the `subtree/v1` message of
 * C2SP tlog-cosignature. Its time is zero, "no statement about time": a log needs no clock, and signs one tree one way.
 * @module
 */
import { equalBytes, KEY_TYPE, parseVkey } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import { formatCheckpoint } from "./checkpoint.ts";
import type { TreeHead } from "./consistency.ts";
import { cosign } from "./cosignature.ts";
import { formatNote, parseNote, type NoteSignature, type NoteVerifier } from "./note.ts";
import { noteVerifiers } from "./verifier.ts";

/** Who signs for a log. */
export interface LogSigners {
  /** First line of its checkpoints. */
  readonly origin: string;
  /** Its Ed25519 key. */
  readonly signer: Signer;
  /** Further keys of the log itself, Ed25519 or ML-DSA-44: each adds a line to every checkpoint. */
  readonly cosigners?: readonly Signer[];
}

const signersOf = ({ signer, cosigners = [] }: LogSigners): readonly Signer[] => [signer, ...cosigners];

/** Refuses keys that a log cannot sign with. */
export function checkSigners(log: LogSigners): void {
  const types = signersOf(log).map(({ vkey }) => parseVkey(vkey).type);
  if (types[0] !== KEY_TYPE.ed25519) throw new RangeError("the first key of a log is an Ed25519 key");
  if (types.includes(KEY_TYPE.cosignature)) throw new RangeError("a witness's key does not sign for a log");
}

/** The verifiers of a log's own keys; any of them vouches for a checkpoint. */
export const verifiersOf = (log: LogSigners): readonly NoteVerifier[] =>
  noteVerifiers(signersOf(log).map(({ vkey }) => vkey));

/** The checkpoint of a tree, signed with all keys of the log. */
export async function signTree(log: LogSigners, { size, root }: TreeHead): Promise<Uint8Array> {
  const text = formatCheckpoint({ origin: log.origin, size, root });
  return formatNote(text, await Promise.all(signersOf(log).map((signer) => signText(signer, text))));
}

/** A note with the lines that only `other` has, if that is of the same text. */
export function withLinesOf(note: Uint8Array, other: Uint8Array): Uint8Array {
  const [own, more] = [parseNote(note), parseNote(other)];
  if (!equalBytes(own.unverifiedText, more.unverifiedText)) return note;
  const isKnown = (line: NoteSignature): boolean =>
    own.signatures.some(({ name, keyId }) => name === line.name && keyId === line.keyId);
  return formatNote(own.unverifiedText, [
    ...own.signatures,
    ...more.signatures.filter((line) => !isKnown(line)),
  ]);
}

async function signText(signer: Signer, text: Uint8Array): Promise<NoteSignature> {
  if (parseVkey(signer.vkey).type === KEY_TYPE.mlDsa44) return cosign(text, signer, 0n);
  return { name: signer.name, keyId: signer.keyId, signature: await signer.sign(text) };
}
