/**
 * Verifier keys: `<name>+<key id>+<base64 of type and public key>`, as in
 * `log.example.test/bootchain+2daab6fe+AUkEMLtcY9b2bi4fMZnsk6HK1V9p6f1CYfInx/zWerdV`.
 * C2SP signed-note v1.0.0, "Verifier keys" and "Signature types".
 * @module
 */
import {
  concatBytes,
  formatBase64,
  formatHex,
  parseBase64,
  ParseError,
  quote,
  sha256,
  utf8,
} from "@bootproof/bytes";

/** Signature types (the byte before the public key) that this package reads. */
export const SIGNATURE_TYPE = {
  /** Ed25519 over the note text: logs and publishers. */
  ed25519: 0x01,
  /** Ed25519 cosignature/v1 with a timestamp: witnesses. */
  cosignature: 0x04,
  /** ML-DSA-44 (sub)tree cosignature; its keys are read, its signatures are not checked yet. */
  mldsa44: 0x06,
} as const;

/** One of the signature types that this package reads. */
export type SignatureType = (typeof SIGNATURE_TYPE)[keyof typeof SIGNATURE_TYPE];

const PUBLIC_KEY_LENGTH: ReadonlyMap<number, number> = new Map<SignatureType, number>([
  [SIGNATURE_TYPE.ed25519, 32],
  [SIGNATURE_TYPE.cosignature, 32],
  [SIGNATURE_TYPE.mldsa44, 1312],
]);

/** A vkey of 1312 key bytes has about 1,800 characters; the rest is room for the name. */
const MAX_VKEY_LENGTH = 4096;

/** A public key with the name it signs under. Name and key ID together identify it in a note. */
export interface Vkey {
  readonly name: string;
  /** Eight lower-case hex digits: a hint, not a commitment. */
  readonly keyId: string;
  readonly type: SignatureType;
  readonly publicKey: Uint8Array;
}

/** The key ID of a public key under `name`: the start of SHA-256 over name, LF, type and key. */
export function computeKeyId(name: string, type: number, publicKey: Uint8Array): string {
  const hash = sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKey));
  return formatHex(hash.subarray(0, 4));
}

/** Demands a key name: not empty, no Unicode white space, no plus sign, no control character; throws {@link ParseError}. */
export function checkKeyName(name: string, field = "key name"): string {
  if (!/^[^\p{White_Space}+\u0000-\u001f]+$/u.test(name) || !name.isWellFormed())
    throw new ParseError("BAD_ENCODING", field, {
      expected: "a name without spaces and plus signs",
      found: quote(name),
    });
  return name;
}

/** A vkey of a public key; throws {@link ParseError} when name or length are wrong. */
export function makeVkey(name: string, type: SignatureType, publicKey: Uint8Array): Vkey {
  checkKeyName(name);
  const expected = PUBLIC_KEY_LENGTH.get(type);
  if (publicKey.length !== expected)
    throw new ParseError("OUT_OF_RANGE", "vkey public key", {
      expected: `${expected ?? 0} bytes`,
      found: `${publicKey.length}`,
    });
  return { name, keyId: computeKeyId(name, type, publicKey), type, publicKey };
}

/** Parses the text form of a vkey, which has one spelling; throws {@link ParseError}. */
export function parseVkey(text: string): Vkey {
  if (text.length > MAX_VKEY_LENGTH)
    throw new ParseError("TOO_LARGE", "vkey", {
      expected: `at most ${MAX_VKEY_LENGTH} characters`,
      found: `${text.length}`,
    });
  const [name, keyId, material] = splitKeyText(text, "vkey");
  const [type, publicKey] = splitMaterial(material, "vkey");
  const vkey = makeVkey(name, type, publicKey);
  if (vkey.keyId !== keyId)
    throw new ParseError("BAD_DIGEST", "vkey key ID", { expected: vkey.keyId, found: quote(keyId) });
  return vkey;
}

/** The text form of a vkey. */
export function formatVkey({ name, keyId, type, publicKey }: Vkey): string {
  return `${name}+${keyId}+${formatBase64(concatBytes(Uint8Array.of(type), publicKey))}`;
}

/** Splits `<name>+<key id>+<base64>`; base64 may contain plus signs, name and ID may not. */
export function splitKeyText(text: string, field: string): readonly [string, string, string] {
  const first = text.indexOf("+");
  const second = first < 0 ? -1 : text.indexOf("+", first + 1);
  if (second < 0)
    throw new ParseError("MISSING", field, { expected: "<name>+<key id>+<base64>", found: quote(text) });
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

/** Splits base64 of a type byte and key bytes; throws {@link ParseError} for types this package does not read. */
export function splitMaterial(material: string, field: string): readonly [SignatureType, Uint8Array] {
  const bytes = parseBase64(material, `${field} base64`);
  const type = bytes[0];
  if (type === undefined) throw new ParseError("TRUNCATED", `${field} base64`, { expected: "type and key" });
  if (!isSignatureType(type))
    throw new ParseError("UNSUPPORTED", `${field} type`, {
      expected: "0x01, 0x04 or 0x06",
      found: `0x${type.toString(16).padStart(2, "0")}`,
    });
  return [type, bytes.subarray(1)];
}

function isSignatureType(type: number): type is SignatureType {
  return PUBLIC_KEY_LENGTH.has(type);
}
