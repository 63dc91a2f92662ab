/**
 * DSSE envelopes with Ed25519 (secure-systems-lab/dsse, protocol and envelope v1.0.2). What is signed is the
 * pre-authentication encoding of type and payload, so the payload needs no canonical form; the envelope gets one here
 * because its bytes are a log leaf.
 * @module
 */
import {
  concatBytes,
  equalBytes,
  formatBase64,
  KEY_TYPE,
  parseBase64,
  ParseError,
  utf8,
  type Vkey,
  formatCanonicalJson,
  parseStrictJson,
} from "@bootproof/bytes";
import { ed25519Verify, type Signer } from "@bootproof/bytes/signing";
import * as v from "valibot";
import { checkSchema, text, type Schema } from "./schema.ts";
import { StatementError } from "./statement-error.ts";

/** A leaf has a 16-bit length in an entry bundle (C2SP tlog-tiles). */
export const MAX_ENVELOPE = 65_535;
const MAX_SIGNATURES = 16;

/** One signature; `keyid` (`<name>+<key ID>`) is a hint that nobody has authenticated. */
export interface EnvelopeSignature {
  readonly keyid: string;
  readonly sig: Uint8Array;
}

/** A parsed envelope, no signature of which has been checked. */
export interface UntrustedEnvelope {
  readonly payloadType: string;
  readonly unverifiedPayload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

/** An envelope with a verified signature: the exact bytes that were signed, and by whom. */
export interface OpenedEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** The first of `keyids`. */
  readonly keyid: string;
  /** Every named key whose signature verified. */
  readonly keyids: readonly string[];
}

/** What became of one signature against one list of keys. */
export interface CheckedSignature {
  readonly keyid: string;
  readonly outcome: "valid" | "invalid" | "unknown key";
}

/** How envelopes name a key: `<name>+<key ID>`. */
export const keyidOf = (key: { readonly name: string; readonly keyId: string }): string =>
  `${key.name}+${key.keyId}`;

/** The pre-authentication encoding: what a DSSE signature signs. Lengths count bytes. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concatBytes(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}

/** Signs a payload; the envelope's canonical bytes. Throws {@link StatementError} when they exceed a log leaf. */
export async function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signer: Signer,
): Promise<Uint8Array> {
  const sig = await signer.sign(preAuthenticationEncoding(payloadType, payload));
  const signatures = [{ keyid: keyidOf(signer), sig }];
  const bytes = formatEnvelope({ payloadType, unverifiedPayload: payload, signatures });
  if (bytes.length > MAX_ENVELOPE)
    throw new StatementError("BP-STATEMENT-003", "the statement is too large for a log leaf", {
      expected: `at most ${MAX_ENVELOPE} bytes`,
      found: `${bytes.length}`,
      hint: "name fewer artifacts or shapes in one recipe",
    });
  return bytes;
}

/** The canonical bytes of an envelope: sorted keys, no space, standard base64. */
export function formatEnvelope({
  payloadType,
  unverifiedPayload,
  signatures,
}: UntrustedEnvelope): Uint8Array {
  return utf8(
    formatCanonicalJson({
      payload: formatBase64(unverifiedPayload),
      payloadType,
      signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: formatBase64(sig) })),
    }),
  );
}

const envelope: Schema<{
  payload: string;
  payloadType: string;
  signatures: { keyid?: string | undefined; sig: string }[];
}> = v.object({
  payload: v.string(),
  payloadType: text(),
  signatures: v.pipe(
    v.array(v.object({ keyid: v.optional(v.string()), sig: v.string() })),
    v.minLength(1, "at least one signature"),
    v.maxLength(MAX_SIGNATURES, `at most ${MAX_SIGNATURES} signatures`),
  ),
});

/**
 * Reads an envelope as anybody may write it: any key order, either base64 alphabet, unknown keys ignored.
 * Throws {@link ParseError}. Format it again before it becomes a leaf.
 */
export function parseForeignEnvelope(bytes: Uint8Array): UntrustedEnvelope {
  const { payload, payloadType, signatures } = checkSchema(
    envelope,
    parseStrictJson(bytes, "envelope", MAX_ENVELOPE),
    "envelope",
  );
  return {
    payloadType,
    unverifiedPayload: parseEitherBase64(payload, "envelope payload"),
    signatures: signatures.map(({ keyid = "", sig }) => ({
      keyid,
      sig: parseEitherBase64(sig, "envelope sig"),
    })),
  };
}

/** Reads an envelope in its canonical form, the only one that we log; throws {@link ParseError}. */
export function parseEnvelope(bytes: Uint8Array): UntrustedEnvelope {
  const parsed = parseForeignEnvelope(bytes);
  if (!equalBytes(formatEnvelope(parsed), bytes))
    throw new ParseError("NOT_CANONICAL", "envelope", {
      expected: "sorted keys, no space, no other keys, standard base64",
    });
  const keyids = parsed.signatures.map(({ keyid }) => keyid);
  if (new Set(keyids).size < keyids.length)
    throw new ParseError("DUPLICATE", "envelope signatures", { expected: "each keyid once" });
  return parsed;
}

const OPENING = utf8('{"payload":"');

/** Whether bytes begin as every canonical envelope does: tells most of what is none without reading it. */
export const opensLikeEnvelope = (bytes: Uint8Array): boolean =>
  OPENING.every((byte, at) => bytes[at] === byte);

/** Checks each signature against `keys` by its keyid; never throws. */
export function checkSignatures(
  { payloadType, unverifiedPayload, signatures }: UntrustedEnvelope,
  keys: readonly Vkey[],
): CheckedSignature[] {
  const message = preAuthenticationEncoding(payloadType, unverifiedPayload);
  return signatures.map(({ keyid, sig }) => {
    // A witness's key signs checkpoints only: a signature of another type would let one key speak in two roles.
    const named = keys.filter((key) => key.type === KEY_TYPE.ed25519 && keyidOf(key) === keyid);
    if (named.length === 0) return { keyid, outcome: "unknown key" };
    const valid = named.some(({ publicKey }) => ed25519Verify(publicKey, message, sig));
    return { keyid, outcome: valid ? "valid" : "invalid" };
  });
}

/**
 * Opens a canonical envelope signed by at least one of `keys`, none of whose signatures fails. Throws
 * {@link ParseError} or {@link StatementError}.
 */
export function openEnvelope(bytes: Uint8Array, keys: readonly Vkey[]): OpenedEnvelope {
  const parsed = parseEnvelope(bytes);
  const checked = checkSignatures(parsed, keys);
  const failed = checked.find(({ outcome }) => outcome === "invalid");
  if (failed !== undefined)
    throw new StatementError("BP-STATEMENT-002", `the signature by ${failed.keyid} does not verify`, {
      hint: "the statement or its signature was changed after signing",
    });
  const keyids = checked.filter(({ outcome }) => outcome === "valid").map(({ keyid }) => keyid);
  const [keyid] = keyids;
  if (keyid === undefined)
    throw new StatementError("BP-STATEMENT-001", "no signature is by a key you named", {
      expected: keys.map(keyidOf).join(" or "),
      found: checked.map((one) => one.keyid).join(", "),
    });
  return { payloadType: parsed.payloadType, payload: parsed.unverifiedPayload, keyid, keyids };
}

function parseEitherBase64(encoded: string, field: string): Uint8Array {
  return parseBase64(encoded.replaceAll("-", "+").replaceAll("_", "/"), field);
}
