/**
 * The two questions that are asked of an ssh-agent, in bytes: which keys it holds, and an Ed25519 signature by one of
 * them (draft-ietf-sshm-ssh-agent, sections 3.5 and 3.6; RFC 4251 section 5 for strings; RFC 8709 for Ed25519).
 * @module
 */
import { ByteReader, ByteWriter, ParseError, parseUtf8, quote, utf8 } from "@bootproof/bytes";

/** Lengths of what an agent says; an agent that holds 100 RSA keys stays well below. */
export const MAX_AGENT_MESSAGE: number = 256 * 1024;
const MAX_IDENTITIES = 1024;
const MAX_BLOB = 16 * 1024;
const MAX_COMMENT = 1024;

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const FAILURE = 5;
const ED25519 = "ssh-ed25519";

/** A key that an agent holds. */
export interface AgentIdentity {
  /** The key as the agent names it: type and public key. */
  readonly blob: Uint8Array;
  readonly comment: string;
  /** The 32 bytes of an Ed25519 key; undefined for keys of other types. */
  readonly ed25519: Uint8Array | undefined;
}

/** The message that asks for the keys. */
export const formatIdentitiesRequest = (): Uint8Array => frame(Uint8Array.of(REQUEST_IDENTITIES));

/** The message that asks for a signature of `message` by the key `blob`. */
export function formatSignRequest(blob: Uint8Array, message: Uint8Array): Uint8Array {
  const body = new ByteWriter().u8(SIGN_REQUEST);
  writeString(body, blob);
  writeString(body, message);
  return frame(body.u32be(0).finish());
}

/** The length of the message that four bytes announce; throws {@link ParseError} when it is none to be read. */
export function parseMessageLength(bytes: Uint8Array): number {
  const length = new ByteReader(bytes).u32be("agent message length");
  if (length >= 1 && length <= MAX_AGENT_MESSAGE) return length;
  throw new ParseError("OUT_OF_RANGE", "agent message length", {
    expected: `1 to ${MAX_AGENT_MESSAGE} bytes`,
    found: `${length}`,
  });
}

/** Reads the answer with the keys, without its length; undefined when the agent refuses. Throws {@link ParseError}. */
export function parseIdentities(body: Uint8Array): readonly AgentIdentity[] | undefined {
  const reader = new ByteReader(body);
  if (isRefusal(reader, IDENTITIES_ANSWER)) return undefined;
  const count = reader.u32be("agent key count");
  if (count > MAX_IDENTITIES)
    throw new ParseError("TOO_LARGE", "agent key count", {
      expected: `at most ${MAX_IDENTITIES}`,
      found: `${count}`,
    });
  const identities: AgentIdentity[] = [];
  for (let at = 0; at < count; at++) {
    const blob = readString(reader, MAX_BLOB, "agent key");
    const comment = readComment(readString(reader, MAX_COMMENT, "agent key comment"));
    identities.push({ blob, comment, ed25519: readEd25519(blob) });
  }
  reader.end("agent keys");
  return identities;
}

/** Reads the answer with an Ed25519 signature, without its length; undefined when the agent refuses. Throws {@link ParseError}. */
export function parseSignature(body: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(body);
  if (isRefusal(reader, SIGN_RESPONSE)) return undefined;
  const blob = readString(reader, MAX_BLOB, "agent signature");
  reader.end("agent signature answer");
  const inner = new ByteReader(blob);
  const type = readString(inner, 64, "agent signature type");
  if (parseUtf8(type, "agent signature type") !== ED25519)
    throw new ParseError("UNSUPPORTED", "agent signature type", {
      expected: ED25519,
      found: quote(parseUtf8(type, "agent signature type")),
    });
  const signature = readString(inner, 64, "agent signature");
  if (signature.length !== 64)
    throw new ParseError("OUT_OF_RANGE", "agent signature", {
      expected: "64 bytes",
      found: `${signature.length}`,
    });
  inner.end("agent signature");
  return signature.slice();
}

/** How SSH names an Ed25519 public key. */
export function formatEd25519Blob(publicKey: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writeString(writer, utf8(ED25519));
  writeString(writer, publicKey);
  return writer.finish();
}

function readEd25519(blob: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(blob);
  const type = readString(reader, 256, "agent key type");
  // Keys of other types have other fields; they are somebody's, and not ours to read.
  if (new TextDecoder().decode(type) !== ED25519) return undefined;
  const key = readString(reader, 32, "agent Ed25519 key");
  if (key.length !== 32)
    throw new ParseError("OUT_OF_RANGE", "agent Ed25519 key", {
      expected: "32 bytes",
      found: `${key.length}`,
    });
  reader.end("agent Ed25519 key");
  return key.slice();
}

// Comments are what their owner typed: only shown, so they need not be well-formed.
const readComment = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function isRefusal(reader: ByteReader, wanted: number): boolean {
  const type = reader.u8("agent answer type");
  if (type === wanted) return false;
  if (type === FAILURE) {
    reader.end("agent refusal");
    return true;
  }
  throw new ParseError("UNSUPPORTED", "agent answer type", {
    expected: `${wanted} or ${FAILURE}`,
    found: `${type}`,
  });
}

function readString(reader: ByteReader, limit: number, field: string): Uint8Array {
  const length = reader.u32be(`${field} length`);
  if (length > limit)
    throw new ParseError("TOO_LARGE", field, { expected: `at most ${limit} bytes`, found: `${length}` });
  return reader.bytes(length, field);
}

function writeString(writer: ByteWriter, bytes: Uint8Array): void {
  writer.u32be(bytes.length).bytes(bytes);
}

function frame(body: Uint8Array): Uint8Array {
  return new ByteWriter().u32be(body.length).bytes(body).finish();
}
