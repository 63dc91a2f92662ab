/**
 * Private keys (Ed25519, ML-DSA-44) as text: `PRIVATE+KEY+<name>+<key ID>+<base64 of type byte and seed>`, the form of
 * Go's golang.org/x/mod/sumdb/note, for ML-DSA-44 as transparency-dev/formats extends it; and the signer made from one.
 * @module
 */
import { formatBase64 } from "./base64.ts";
import { concatBytes } from "./compare.ts";
import { ED25519_KEY_LENGTH, ed25519PublicKey, makeEd25519Sign } from "./ed25519.ts";
import { mlDsa44PublicKey, mlDsa44Sign } from "./mldsa.ts";
import { ParseError } from "./parse-error.ts";
import { checkKeyId, formatVkey, KEY_TYPE, makeVkey, splitKeyText, type KeyType, type Vkey } from "./vkey.ts";

const PREFIX = "PRIVATE+KEY+";

/** A private key: its public half and its 32-byte seed. */
export interface SigningKey {
  readonly vkey: Vkey;
  readonly seed: Uint8Array;
}

/** Whatever signs under a name: a key in memory, a file, an agent, a service. */
export interface Signer {
  readonly name: string;
  readonly keyId: string;
  /** The public key as text. */
  readonly vkey: string;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The key of a 32-byte seed under `name`: for signing, or (types cosignature and mlDsa44) for witnessing. */
export function makeSigningKey(name: string, seed: Uint8Array, type: KeyType = KEY_TYPE.ed25519): SigningKey {
  if (seed.length !== ED25519_KEY_LENGTH)
    throw new ParseError("OUT_OF_RANGE", "private key seed", {
      expected: `${ED25519_KEY_LENGTH} bytes`,
      found: `${seed.length}`,
    });
  const publicKey = type === KEY_TYPE.mlDsa44 ? mlDsa44PublicKey(seed) : ed25519PublicKey(seed);
  return { vkey: makeVkey(name, type, publicKey), seed };
}

/** The secret text of a key. */
export const formatSigningKey = ({ vkey, seed }: SigningKey): string =>
  `${PREFIX}${vkey.name}+${vkey.keyId}+${formatBase64(concatBytes(Uint8Array.of(vkey.type), seed))}`;

/** Reads the secret text of a key, key ID checked; throws {@link ParseError}, which never quotes the secret. */
export function parseSigningKey(text: string, field = "private key"): SigningKey {
  if (!text.startsWith(PREFIX)) throw new ParseError("BAD_MAGIC", field, { expected: `${PREFIX}<name>+...` });
  const { name, keyId, type, key } = splitSecret(text.slice(PREFIX.length), field);
  const signing = makeSigningKey(name, key, type);
  checkKeyId(signing.vkey, keyId, field);
  return signing;
}

/** A signer that holds the key in memory. */
export function signerOf({ vkey, seed }: SigningKey): Signer {
  const sign =
    vkey.type === KEY_TYPE.mlDsa44
      ? (message: Uint8Array) => mlDsa44Sign(seed, message)
      : makeEd25519Sign(seed);
  return {
    name: vkey.name,
    keyId: vkey.keyId,
    vkey: formatVkey(vkey),
    sign,
  };
}

function splitSecret(text: string, field: string): ReturnType<typeof splitKeyText> {
  try {
    return splitKeyText(text, field);
  } catch (cause) {
    // What was found may be the seed itself.
    if (cause instanceof ParseError)
      throw new ParseError(cause.code, cause.at, { expected: cause.expected ?? "" });
    throw cause;
  }
}
