/**
 * Cosignatures: eight bytes of POSIX seconds, then a signature. C2SP tlog-cosignature v1.1: Ed25519 signs the seconds
 * and the whole note text; ML-DSA-44 signs the cosigner's name, the seconds, origin, size and root, and no extension
 * lines. At that time the cosigner knew no larger tree that is consistent with this one.
 * @module
 */
import { ByteReader, ByteWriter, concatBytes, KEY_TYPE, ParseError, parseVkey, utf8 } from "@bootproof/bytes";
import type { Sha256, Vkey } from "@bootproof/bytes";
import {
  ED25519_SIGNATURE_LENGTH,
  ed25519Verify,
  ML_DSA_44_SIGNATURE_LENGTH,
  mlDsa44Verify,
  type Signer,
} from "@bootproof/bytes/signing";
import { parseCheckpoint } from "./checkpoint.ts";
import type { NoteSignature } from "./note.ts";

const TIMESTAMP_LENGTH = 8;
const MAX_TIMESTAMP = 0x7fff_ffff_ffff_ffffn;
/** Names in a signed message have one byte of length. */
const MAX_NAME_LENGTH = 255;
const SUBTREE_LABEL = utf8("subtree/v1\n\0");

/** What an ML-DSA-44 cosigner signs: a subtree of a log, seen at a time (0: no statement about time). */
export interface CosignedSubtree {
  readonly cosigner: string;
  /** POSIX seconds; 0 unless the subtree starts at 0. */
  readonly timestamp: bigint;
  readonly origin: string;
  readonly start: bigint;
  /** Index after the last entry: for a checkpoint its size. */
  readonly end: bigint;
  readonly root: Sha256;
}

/** The bytes that an Ed25519 cosigner signs at `timestamp` (POSIX seconds): extension lines are covered. */
export function cosignatureMessage(text: Uint8Array, timestamp: bigint): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8(`cosignature/v1\ntime ${timestamp}\n`), text);
}

/** The bytes that an ML-DSA-44 cosigner signs; throws {@link ParseError} when a name is empty or over 255 bytes. */
export function subtreeMessage(subtree: CosignedSubtree): Uint8Array<ArrayBuffer> {
  const { cosigner, timestamp, origin, start, end, root } = subtree;
  if (start !== 0n && timestamp !== 0n)
    throw new RangeError("a cosignature of a subtree that does not start at 0 has no time");
  const writer = new ByteWriter().bytes(SUBTREE_LABEL);
  writeName(writer, cosigner, "cosigner name");
  writeName(writer.u64be(timestamp), origin, "log origin");
  return writer.u64be(start).u64be(end).bytes(root).finish();
}

/** Whether `signature` (seconds, then 64 or 2420 bytes) is this key's cosignature of the note text; never throws. */
export function verifyCosignature(vkey: Vkey, text: Uint8Array, signature: Uint8Array): boolean {
  const timestamp = cosignatureTimestamp(signature);
  const message = timestamp === undefined ? undefined : messageOf(vkey, text, timestamp);
  if (message === undefined) return false;
  const signed = signature.subarray(TIMESTAMP_LENGTH);
  return vkey.type === KEY_TYPE.mlDsa44
    ? mlDsa44Verify(vkey.publicKey, message, signed)
    : ed25519Verify(vkey.publicKey, message, signed);
}

/** POSIX seconds of a cosignature, or undefined when its length or range is wrong. */
export function cosignatureTimestamp(signature: Uint8Array): bigint | undefined {
  const length = signature.length - TIMESTAMP_LENGTH;
  if (length !== ED25519_SIGNATURE_LENGTH && length !== ML_DSA_44_SIGNATURE_LENGTH) return undefined;
  const timestamp = new ByteReader(signature).u64be("cosignature timestamp");
  return timestamp <= MAX_TIMESTAMP ? timestamp : undefined;
}

/**
 * Makes the cosignature line of `signer` for a note text at `timestamp` (POSIX seconds). Throws {@link ParseError} when
 * an ML-DSA-44 signer is given a text that is no checkpoint.
 */
export async function cosign(text: Uint8Array, signer: Signer, timestamp: bigint): Promise<NoteSignature> {
  if (timestamp < 0n || timestamp > MAX_TIMESTAMP)
    throw new RangeError(`a cosignature time lies between 0 and 2^63-1, not ${timestamp}`);
  const message =
    parseVkey(signer.vkey).type === KEY_TYPE.mlDsa44
      ? checkpointMessage(signer.name, text, timestamp)
      : cosignatureMessage(text, timestamp);
  const signature = await signer.sign(message);
  const payload = new ByteWriter().u64be(timestamp).bytes(signature).finish();
  return { name: signer.name, keyId: signer.keyId, signature: payload };
}

function messageOf({ type, name }: Vkey, text: Uint8Array, timestamp: bigint): Uint8Array | undefined {
  if (type !== KEY_TYPE.mlDsa44) return cosignatureMessage(text, timestamp);
  try {
    return checkpointMessage(name, text, timestamp);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function checkpointMessage(cosigner: string, text: Uint8Array, timestamp: bigint): Uint8Array {
  const { origin, size, root } = parseCheckpoint(text);
  return subtreeMessage({ cosigner, timestamp, origin, start: 0n, end: size, root });
}

function writeName(writer: ByteWriter, name: string, field: string): void {
  const bytes = utf8(name);
  if (bytes.length < 1 || bytes.length > MAX_NAME_LENGTH)
    throw new ParseError("OUT_OF_RANGE", field, {
      expected: `1 to ${MAX_NAME_LENGTH} bytes`,
      found: `${bytes.length}`,
    });
  writer.u8(bytes.length).bytes(bytes);
}
