/**
 * What makes two entries of a log the same statement: payload type, payload and who signed, not the signature. A
 * signature may differ each time it is made (ECDSA), and then the same statement would be logged again and again.
 * @module
 */
import { ParseError, sha256Joined, utf8, type Sha256 } from "@bootproof/bytes";
import { opensLikeEnvelope, parseEnvelope, type UntrustedEnvelope } from "./dsse.ts";

// Without it an entry could be made of the very bytes that stand for somebody else's statement, and take its place.
const BYTES = Uint8Array.of(0);
const STATEMENT = Uint8Array.of(1);

/**
 * The identity of an entry: of what it states and by whom, when it is a canonical envelope, else of its bytes. Who
 * signed is what the envelope claims: whoever appends without checking signatures lets strangers take a statement's
 * place.
 */
export function entryIdentity(entry: Uint8Array): Sha256 {
  const envelope = tryParse(entry);
  return envelope === undefined ? sha256Joined(BYTES, entry) : envelopeIdentity(envelope);
}

/** The identity of a statement in an envelope: each part with its length before it, so that no byte can change sides. */
export function envelopeIdentity({ payloadType, unverifiedPayload, signatures }: UntrustedEnvelope): Sha256 {
  const keyids = signatures.map(({ keyid }) => keyid).sort();
  const parts = [utf8(payloadType), unverifiedPayload, ...keyids.map(utf8)];
  return sha256Joined(STATEMENT, ...parts.flatMap((part) => [lengthOf(part), part]));
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(4);
  new DataView(encoded.buffer).setUint32(0, bytes.length);
  return encoded;
}

function tryParse(entry: Uint8Array): UntrustedEnvelope | undefined {
  if (!opensLikeEnvelope(entry)) return undefined;
  try {
    return parseEnvelope(entry);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
