/**
 * Keys and signatures as the SNP firmware stores them: numbers little endian in 72 bytes, because its largest curve has
 * 521 bits.
 * SEV Secure Nested Paging Firmware ABI (AMD 56860), chapter "Digital signatures": ECDSA P-384 with SHA-384.
 * @module
 */
import { ByteReader, ByteWriter, concatBytes, sha384, type Sha384 } from "@bootproof/bytes";
import { ECDSA_LENGTH } from "@bootproof/bytes/ecdsa";

const P384_LENGTH = ECDSA_LENGTH["P-384"];

/** The algorithm number of ECDSA P-384 with SHA-384. */
export const ECDSA_P384_SHA384 = 1;
/** The curve number of P-384. */
export const CURVE_P384 = 2;
/** Length of a public key structure in bytes. */
export const PUBLIC_KEY_SIZE = 1028;
/** Length of a signature structure in bytes. */
export const SIGNATURE_SIZE = 512;
/** Length of each number in a structure. */
export const NUMBER_SIZE = 72;

/** Two numbers as a structure holds them, and where it holds bytes that should be zero and are not. */
export interface NumberPair {
  /** Both numbers, 48 bytes each, big endian: what `@bootproof/bytes/ecdsa` takes. */
  readonly pair: Uint8Array;
  /** Offset in the structure of the first byte that should be zero and is not. */
  readonly notZero: number | undefined;
}

/** A parsed public key structure. */
export interface PublicKeyStructure extends NumberPair {
  readonly curve: number;
}

/** The 1028 bytes of a public key of 96 bytes (x, y; big endian). */
export function encodePublicKey(publicKey: Uint8Array): Uint8Array {
  return new ByteWriter(PUBLIC_KEY_SIZE)
    .u32le(CURVE_P384) // CURVE
    .bytes(encodePair(publicKey)) // QX, QY
    .zeros(PUBLIC_KEY_SIZE - 4 - 2 * NUMBER_SIZE)
    .finish();
}

/** The 512 bytes of a signature of 96 bytes (r, s; big endian). */
export function encodeSignature(signature: Uint8Array): Uint8Array {
  return new ByteWriter(SIGNATURE_SIZE)
    .bytes(encodePair(signature)) // R, S
    .zeros(SIGNATURE_SIZE - 2 * NUMBER_SIZE)
    .finish();
}

/** Takes a public key structure of 1028 bytes apart; throws ParseError for another length only. */
export function parsePublicKey(bytes: Uint8Array): PublicKeyStructure {
  const reader = new ByteReader(bytes);
  const curve = reader.u32le("public key CURVE");
  const rest = reader.bytes(PUBLIC_KEY_SIZE - 4, "public key");
  reader.end("public key");
  const { pair, notZero } = parsePair(rest);
  return { curve, pair, notZero: notZero === undefined ? undefined : notZero + 4 };
}

/** Takes a signature structure of 512 bytes apart; throws ParseError for another length only. */
export function parseSignature(bytes: Uint8Array): NumberPair {
  const reader = new ByteReader(bytes);
  const all = reader.bytes(SIGNATURE_SIZE, "signature");
  reader.end("signature");
  return parsePair(all);
}

/** ID_KEY_DIGEST or AUTHOR_KEY_DIGEST of a report: SHA-384 of the whole structure, not of a DER or PEM key. */
export function keyDigest(publicKey: Uint8Array): Sha384 {
  return sha384(encodePublicKey(publicKey));
}

function encodePair(pair: Uint8Array): Uint8Array {
  if (pair.length !== 2 * P384_LENGTH) throw new RangeError("a P-384 key or signature has 96 bytes");
  const padding = new Uint8Array(NUMBER_SIZE - P384_LENGTH);
  const first = pair.slice(0, P384_LENGTH).reverse();
  const second = pair.slice(P384_LENGTH).reverse();
  return concatBytes(first, padding, second, padding);
}

function parsePair(bytes: Uint8Array): NumberPair {
  const number = (at: number): Uint8Array => bytes.slice(at, at + P384_LENGTH).reverse();
  const used = (offset: number): boolean => offset < 2 * NUMBER_SIZE && offset % NUMBER_SIZE < P384_LENGTH;
  const notZero = bytes.findIndex((byte, offset) => byte !== 0 && !used(offset));
  return {
    pair: concatBytes(number(0), number(NUMBER_SIZE)),
    notZero: notZero === -1 ? undefined : notZero,
  };
}
