/**
 * Checks signature lines of notes by the key's type: plain Ed25519 (0x01), Ed25519 cosignatures (0x04) and ML-DSA-44
 * cosignatures (0x06). C2SP signed-note v1.0.0 "Signature types", tlog-cosignature v1.1.
 * @module
 */
import { parseVkey, KEY_TYPE, type Vkey } from "@bootproof/bytes";
import { ed25519Verify } from "@bootproof/bytes/signing";
import { cosignatureTimestamp, verifyCosignature } from "./cosignature.ts";
import type { NoteVerifier } from "./note.ts";

/** The verifier of a vkey; throws ParseError when text is none. */
export function noteVerifier(key: Vkey | string): NoteVerifier {
  const vkey = typeof key === "string" ? parseVkey(key) : key;
  if (vkey.type === KEY_TYPE.ed25519)
    return {
      vkey,
      verify: (text, signature) => ed25519Verify(vkey.publicKey, text, signature),
      timestamp: () => undefined,
    };
  return {
    vkey,
    verify: (text, signature) => verifyCosignature(vkey, text, signature),
    timestamp: cosignatureTimestamp,
  };
}

/** The verifiers of several vkeys. */
export const noteVerifiers = (keys: readonly (Vkey | string)[]): readonly NoteVerifier[] =>
  keys.map(noteVerifier);
