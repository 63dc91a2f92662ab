/**
 * What signs notes, and its text form: `PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`, the form that Go's
 * x/mod note package and Tessera's tools read and write.
 * @module
 */
import { concatBytes, ed25519PublicKey, ed25519Sign, formatBase64, ParseError } from "@bootproof/bytes";
import { formatVkey, makeVkey, SIGNATURE_TYPE, splitKeyText, splitMaterial } from "./vkey.ts";

/** A private key somewhere: in memory, in an agent, behind a command. */
export interface Signer {
  readonly name: string;
  readonly keyId: string;
  /** Text form of the public key. */
  readonly vkey: string;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** An Ed25519 private key as it stands in a key file. */
export interface PrivateKey {
  readonly name: string;
  /** 32 bytes: the private key of RFC 8032. */
  readonly seed: Uint8Array;
}

const PREFIX = "PRIVATE+KEY+";
const SEED_LENGTH = 32;

/** A signer of notes (logs, publishers) from a 32-byte seed. */
export const ed25519Signer = (name: string, seed: Uint8Array): Signer =>
  signerOf(name, seed, SIGNATURE_TYPE.ed25519);

/** A signer of cosignatures (witnesses) from a 32-byte seed; a seed must not serve two names. */
export const cosignatureSigner = (name: string, seed: Uint8Array): Signer =>
  signerOf(name, seed, SIGNATURE_TYPE.cosignature);

function signerOf(name: string, seed: Uint8Array, type: 0x01 | 0x04): Signer {
  const vkey = makeVkey(name, type, ed25519PublicKey(seed));
  return { name, keyId: vkey.keyId, vkey: formatVkey(vkey), sign: (message) => ed25519Sign(seed, message) };
}

/** Parses the text form of an Ed25519 private key; errors never repeat the key. Throws {@link ParseError}. */
export function parsePrivateKey(text: string): PrivateKey {
  if (!text.startsWith(PREFIX))
    throw new ParseError("BAD_MAGIC", "private key", { expected: `${PREFIX}...` });
  const [name, keyId, material] = hidden(() => splitKeyText(text.slice(PREFIX.length), "private key"));
  const [type, seed] = hidden(() => splitMaterial(material, "private key"));
  if (type !== SIGNATURE_TYPE.ed25519)
    throw new ParseError("UNSUPPORTED", "private key type", { expected: "0x01 (Ed25519)" });
  if (seed.length !== SEED_LENGTH)
    throw new ParseError("OUT_OF_RANGE", "private key seed", { expected: `${SEED_LENGTH} bytes` });
  const signer = ed25519Signer(name, seed);
  if (signer.keyId !== keyId)
    throw new ParseError("BAD_DIGEST", "private key ID", { expected: signer.keyId, found: "another" });
  return { name, seed };
}

/** The text form of an Ed25519 private key, without a line end. */
export function formatPrivateKey({ name, seed }: PrivateKey): string {
  const { keyId } = ed25519Signer(name, seed);
  return `${PREFIX}${name}+${keyId}+${formatBase64(concatBytes(Uint8Array.of(SIGNATURE_TYPE.ed25519), seed))}`;
}

/** Runs a parser over secret text and keeps what it found out of its error. */
function hidden<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { expected } = error;
    throw new ParseError(error.code, error.at, expected === undefined ? {} : { expected });
  }
}
