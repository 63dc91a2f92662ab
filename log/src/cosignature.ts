/**
 * Ed25519 cosignatures: eight bytes of POSIX seconds, then a signature over the seconds and the whole note text.
 * C2SP tlog-cosignature v1.0.1, "Ed25519 signed message". At that time the cosigner knew no larger tree that is
 * consistent with this one.
 * @module
 */
import { ByteReader, ByteWriter, concatBytes, utf8 } from "@bootproof/bytes";
import { ED25519_SIGNATURE_LENGTH, ed25519Verify, type Signer } from "@bootproof/bytes/signing";
import type { NoteSignature } from "./note.ts";

const TIMESTAMP_LENGTH = 8;
const MAX_TIMESTAMP = 0x7fff_ffff_ffff_ffffn;

/** The bytes that a cosigner signs at `timestamp` (POSIX seconds): extension lines are covered. */
export function cosignatureMessage(text: Uint8Array, timestamp: bigint): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8(`cosignature/v1\ntime ${timestamp}\n`), text);
}

/** Whether `signature` (seconds, then 64 bytes) is a cosignature of the note text; never throws. */
export function verifyCosignature(publicKey: Uint8Array, text: Uint8Array, signature: Uint8Array): boolean {
  const timestamp = cosignatureTimestamp(signature);
  if (timestamp === undefined) return false;
  return ed25519Verify(publicKey, cosignatureMessage(text, timestamp), signature.subarray(TIMESTAMP_LENGTH));
}

/** POSIX seconds of a cosignature, or undefined when its length or range is wrong. */
export function cosignatureTimestamp(signature: Uint8Array): bigint | undefined {
  if (signature.length !== TIMESTAMP_LENGTH + ED25519_SIGNATURE_LENGTH) return undefined;
  const timestamp = new ByteReader(signature).u64be("cosignature timestamp");
  return timestamp <= MAX_TIMESTAMP ? timestamp : undefined;
}

/** Makes the cosignature line of `signer` for a note text at `timestamp` (POSIX seconds). */
export async function cosign(text: Uint8Array, signer: Signer, timestamp: bigint): Promise<NoteSignature> {
  if (timestamp < 0n || timestamp > MAX_TIMESTAMP)
    throw new RangeError(`a cosignature time lies between 0 and 2^63-1, not ${timestamp}`);
  const signature = await signer.sign(cosignatureMessage(text, timestamp));
  const payload = new ByteWriter().u64be(timestamp).bytes(signature).finish();
  return { name: signer.name, keyId: signer.keyId, signature: payload };
}
