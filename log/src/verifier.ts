/**
 * Checks signature lines of notes by the key's type: plain Ed25519 (0x01) and Ed25519 cosignature/v1 (0x04).
 * C2SP signed-note v1.0.0 "Signature types", tlog-cosignature v1.0.1.
 * @module
 */
import { parseVkey, KEY_TYPE, type Vkey } from "@bootproof/bytes";
import { ed25519Verify } from "@bootproof/bytes/signing";
import { cosignatureTimestamp, verifyCosignature } from "./cosignature.ts";
import type { NoteVerifier } from "./note.ts";

/** The verifier of a vkey, or undefined for a type whose signatures cannot be checked here (ML-DSA-44). */
export function noteVerifier(key: Vkey | string): NoteVerifier | undefined {
  const vkey = typeof key === "string" ? parseVkey(key) : key;
  const { type, publicKey } = vkey;
  switch (type) {
    case KEY_TYPE.ed25519:
      return {
        vkey,
        verify: (text, signature) => ed25519Verify(publicKey, text, signature),
        timestamp: () => undefined,
      };
    case KEY_TYPE.cosignature:
      return {
        vkey,
        verify: (text, signature) => verifyCosignature(publicKey, text, signature),
        timestamp: cosignatureTimestamp,
      };
    case KEY_TYPE.mlDsa44:
      return undefined;
  }
}

/** The verifiers of several vkeys, without those that cannot be checked here. */
export function noteVerifiers(keys: readonly (Vkey | string)[]): readonly NoteVerifier[] {
  return keys.map(noteVerifier).filter((verifier) => verifier !== undefined);
}
