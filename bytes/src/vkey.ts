/**
 * Public keys as text: `<name>+<key ID, 8 hex digits>+<base64 of type byte and key>` (C2SP signed-note v1.0.0, "Verifier
 * keys"). Logs, witnesses, publishers and rebuilders all use this one form.
 * @module
 */
import { formatBase64, parseBase64 } from "./base64.ts";
import { concatBytes } from "./compare.ts";
import { sha256 } from "./digest.ts";
import { formatHex, quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";
import { utf8 } from "./utf8.ts";

/** Signature types with the type byte that stands before the key. */
export const KEY_TYPE = {
  /** Ed25519 over the signed bytes themselves: logs, publishers, rebuilders. */
  ed25519: 0x01,
  /** Ed25519 over a timestamped checkpoint (C2SP tlog-cosignature): witnesses. */
  cosignature: 0x04,
  /** ML-DSA-44 over a tree head (C2SP tlog-cosignature). */
  mlDsa44: 0x06,
} as const;

/** A type byte we know. */
export type KeyType = (typeof KEY_TYPE)[keyof typeof KEY_TYPE];

const KEY_LENGTH: Readonly<Record<KeyType, number>> = { 0x01: 32, 0x04: 32, 0x06: 1312 };

/** A vkey of 1312 key bytes has about 1,800 characters; the rest is room for the name. */
const MAX_VKEY_LENGTH = 4096;

/** A public key with its name. `keyId` is 8 lower-case hex digits: a hint, not a commitment. */
export interface Vkey {
  readonly name: string;
  readonly keyId: string;
  readonly type: KeyType;
  readonly publicKey: Uint8Array;
}

/** The key ID of a key: the first four bytes of SHA-256 over name, line feed, type byte and key, in hex. */
export function keyIdOf(name: string, type: KeyType, publicKey: Uint8Array): string {
  const hash = sha256(concatBytes(utf8(name), Uint8Array.of(0x0a, type), publicKey));
  return formatHex(hash.subarray(0, 4));
}

/** A key under a name, with its key ID; throws {@link ParseError} when name or length are impossible. */
export function makeVkey(name: string, type: KeyType, publicKey: Uint8Array): Vkey {
  checkKeyName(name, "key name");
  if (publicKey.length !== KEY_LENGTH[type])
    throw new ParseError("OUT_OF_RANGE", "public key", {
      expected: `${KEY_LENGTH[type]} bytes`,
      found: `${publicKey.length}`,
    });
  return { name, keyId: keyIdOf(name, type, publicKey), type, publicKey };
}

/** The text of a key. */
export const formatVkey = ({ name, keyId, type, publicKey }: Vkey): string =>
  `${name}+${keyId}+${formatBase64(concatBytes(Uint8Array.of(type), publicKey))}`;

/** Reads the one text of a key, key ID checked; throws {@link ParseError}. */
export function parseVkey(text: string, field = "vkey"): Vkey {
  const { name, keyId, type, key } = splitKeyText(text, field);
  const vkey = makeVkey(name, type, key);
  checkKeyId(vkey, keyId, field);
  return vkey;
}

/** Refuses a key name that a note cannot carry: empty, or with white space, a plus or a control character below U+0020. */
export function checkKeyName(name: string, field: string): void {
  // Control characters are what is refused; White_Space has U+0085, which \s lacks and Go's unicode.IsSpace has.
  if (!/^[^\p{White_Space}+\u0000-\u001f]+$/u.test(name) || !name.isWellFormed())
    throw new ParseError("BAD_ENCODING", field, {
      expected: "a name without space, plus or control character",
      found: quote(name),
    });
}

/** Refuses a written key ID that is not the key's own. */
export function checkKeyId(vkey: Vkey, written: string, field: string): void {
  if (written !== vkey.keyId)
    throw new ParseError("BAD_DIGEST", `${field} key ID`, { expected: vkey.keyId, found: quote(written) });
}

/** Splits `<name>+<key ID>+<base64>`, the shape that public and private keys share. */
export function splitKeyText(
  text: string,
  field: string,
): { name: string; keyId: string; type: KeyType; key: Uint8Array } {
  if (text.length > MAX_VKEY_LENGTH)
    throw new ParseError("TOO_LARGE", field, {
      expected: `at most ${MAX_VKEY_LENGTH} characters`,
      found: `${text.length}`,
    });
  const [name, keyId, encoded] = text.split("+", 3);
  if (name === undefined || keyId === undefined || encoded === undefined)
    throw new ParseError("MISSING", field, { expected: "<name>+<key ID>+<base64>" });
  checkKeyName(name, `${field} name`);
  // Base64 has plus signs of its own: the third part is all that is left.
  const material = parseBase64(text.slice(name.length + keyId.length + 2), `${field} material`);
  const type = material[0];
  if (type !== 0x01 && type !== 0x04 && type !== 0x06)
    throw new ParseError("UNSUPPORTED", `${field} type`, {
      expected: "1, 4 or 6",
      found: type === undefined ? "nothing" : `${type}`,
    });
  return { name, keyId, type, key: material.subarray(1) };
}
