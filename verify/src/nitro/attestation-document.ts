/**
 * An attestation document of AWS Nitro Enclaves: a COSE_Sign1 (RFC 9052) around a map, as AWS's "Nitro Enclaves
 * attestation process" describes it. Read strictly; **its signature and its certificates are not checked here**.
 * @module
 */
import {
  type CborMap,
  type CborValue,
  isCborArray,
  isCborMap,
  isCborTag,
  ParseError,
  parseStrictCbor,
  quote,
} from "@bootproof/bytes";

/** What a document says; nobody's word is checked. */
export interface UntrustedAttestationDocument {
  /** Instance and enclave: `i-0123456789abcdef0-enc0123456789abcdef`. */
  readonly moduleId: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** Registers by index, in order. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** DER; its key made the signature. */
  readonly certificate: Uint8Array;
  /** DER, the root first, the issuer of `certificate` last. Whoever made the document chose this root. */
  readonly cabundle: readonly Uint8Array[];
  readonly publicKey: Uint8Array | undefined;
  readonly userData: Uint8Array | undefined;
  readonly nonce: Uint8Array | undefined;
  /** What was signed, as it came. */
  readonly protectedHeader: Uint8Array;
  readonly payload: Uint8Array;
  /** r and s, 48 bytes each. */
  readonly signature: Uint8Array;
}

/** The NSM's answers have at most 12 KiB, and the payload 16 KiB by AWS's text. */
const MAX_DOCUMENT = 32 * 1024;
const MAX_PAYLOAD = 16 * 1024;
const COSE_SIGN1 = 18;
const ES384 = -35;
const SIGNATURE = 96;
const MAX_PCR = 31;
const PCR_LENGTHS = [32, 48, 64];
const MAX_CERTIFICATE = 1024;
const MAX_CHAIN = 16;
/** AWS's CDDL says 1024, its prose 512; the NSM enforces neither. */
const MAX_FIELD = 1024;
const LATEST = 8.64e15;

const FIELD = "attestation document";
const KEYS = [
  "module_id",
  "digest",
  "timestamp",
  "pcrs",
  "certificate",
  "cabundle",
  "public_key",
  "user_data",
  "nonce",
];

/** Reads a document, *signature not checked*; throws {@link ParseError}. */
export function parseAttestationDocument(bytes: Uint8Array): UntrustedAttestationDocument {
  if (bytes.length > MAX_DOCUMENT)
    throw new ParseError("TOO_LARGE", FIELD, {
      expected: `at most ${MAX_DOCUMENT} bytes`,
      found: `${bytes.length}`,
    });
  const { protectedHeader, payload, signature } = readSign1(bytes);
  if (payload.length === 0 || payload.length > MAX_PAYLOAD)
    throw outOfRange("payload", `1 to ${MAX_PAYLOAD} bytes`, payload.length);
  // NSMs write the map with and without its length; the signature is over the bytes as they came.
  const map = parseStrictCbor(payload, "payload", { maxDepth: 4, maxItems: 256, lenient: true });
  if (!isCborMap(map)) throw new ParseError("BAD_ENCODING", "payload", { expected: "a map" });
  for (const key of map.keys())
    if (typeof key !== "string" || !KEYS.includes(key))
      throw new ParseError("UNSUPPORTED", "payload", {
        expected: KEYS.join(", "),
        found: quote(String(key)),
      });
  return { ...readPayload(map), protectedHeader, payload, signature };
}

/** Whether bytes start as a document does: an array of four, with or without its tag, then a header with an algorithm. */
export function looksLikeAttestationDocument(bytes: Uint8Array): boolean {
  const at = bytes[0] === 0xd2 ? 1 : 0;
  // A short byte string; QEMU's is shorter than AWS's.
  const [array, header = 0, map, algorithm] = bytes.subarray(at, at + 4);
  return array === 0x84 && header > 0x42 && header < 0x58 && map === 0xa1 && algorithm === 1;
}

function readSign1(
  bytes: Uint8Array,
): Pick<UntrustedAttestationDocument, "protectedHeader" | "payload" | "signature"> {
  const outer = parseStrictCbor(bytes, FIELD, { maxDepth: 4, maxItems: 64 });
  if (isCborTag(outer) && outer.tag !== COSE_SIGN1)
    throw new ParseError("BAD_MAGIC", FIELD, {
      expected: `tag ${COSE_SIGN1} or none`,
      found: `tag ${outer.tag}`,
    });
  const parts = isCborTag(outer) ? outer.value : outer;
  if (!isCborArray(parts) || parts.length !== 4)
    throw new ParseError("BAD_MAGIC", FIELD, { expected: "a COSE_Sign1: an array of four" });
  const [protectedHeader, unprotected, payload, signature] = parts;
  if (!isBytes(protectedHeader) || !isBytes(payload) || !isBytes(signature))
    throw new ParseError("BAD_ENCODING", FIELD, {
      expected: "byte strings for header, payload and signature",
    });
  const header = parseStrictCbor(protectedHeader, "protected header", { maxDepth: 2, maxItems: 16 });
  const algorithm = isCborMap(header) && header.size === 1 ? header.get(1) : undefined;
  if (algorithm !== ES384)
    throw new ParseError("UNSUPPORTED", "signature algorithm", {
      expected: "ES384 (-35) alone",
      found: algorithm === -1 ? "-1: QEMU's NSM, which signs nothing" : shown(algorithm),
    });
  if (!isCborMap(unprotected) || unprotected.size > 0)
    throw new ParseError("UNSUPPORTED", "unprotected header", { expected: "an empty map" });
  if (signature.length !== SIGNATURE) throw outOfRange("signature", `${SIGNATURE} bytes`, signature.length);
  return { protectedHeader, payload, signature };
}

type Payload = Omit<UntrustedAttestationDocument, "protectedHeader" | "payload" | "signature">;

function readPayload(map: CborMap): Payload {
  const moduleId = map.get("module_id");
  if (typeof moduleId !== "string" || moduleId === "" || moduleId.length > MAX_FIELD)
    throw new ParseError("OUT_OF_RANGE", "module_id", { expected: "text", found: shown(moduleId) });
  if (map.get("digest") !== "SHA384")
    throw new ParseError("UNSUPPORTED", "digest", { expected: '"SHA384"', found: shown(map.get("digest")) });
  const timestamp = map.get("timestamp");
  if (typeof timestamp !== "number" || timestamp <= 0 || timestamp > LATEST)
    throw new ParseError("OUT_OF_RANGE", "timestamp", {
      expected: "milliseconds since 1970",
      found: shown(timestamp),
    });
  const cabundle = map.get("cabundle");
  if (!isCborArray(cabundle)) throw missing("cabundle", "a list of certificates", cabundle);
  if (cabundle.length === 0 || cabundle.length > MAX_CHAIN)
    throw outOfRange("cabundle", `1 to ${MAX_CHAIN} certificates`, cabundle.length);
  return {
    moduleId,
    timestamp,
    pcrs: readPcrs(map.get("pcrs")),
    certificate: readBytes(map.get("certificate"), "certificate", 1, MAX_CERTIFICATE),
    cabundle: cabundle.map((one) => readBytes(one, "cabundle", 1, MAX_CERTIFICATE)),
    publicKey: readOptional(map.get("public_key"), "public_key", 1),
    userData: readOptional(map.get("user_data"), "user_data", 0),
    nonce: readOptional(map.get("nonce"), "nonce", 0),
  };
}

function readPcrs(value: CborValue | undefined): ReadonlyMap<number, Uint8Array> {
  if (!isCborMap(value)) throw missing("pcrs", "a map of registers", value);
  if (value.size === 0 || value.size > MAX_PCR + 1)
    throw outOfRange("pcrs", `1 to ${MAX_PCR + 1} registers`, value.size);
  const pcrs = new Map<number, Uint8Array>();
  for (const [index, register] of value) {
    if (typeof index !== "number" || index < 0 || index > MAX_PCR)
      throw new ParseError("OUT_OF_RANGE", "pcrs", { expected: `0 to ${MAX_PCR}`, found: shown(index) });
    if (!isBytes(register) || !PCR_LENGTHS.includes(register.length))
      throw new ParseError("OUT_OF_RANGE", `PCR${index}`, { expected: "48 bytes", found: shown(register) });
    pcrs.set(index, register);
  }
  return new Map([...pcrs].sort(([a], [b]) => a - b));
}

const isBytes = (value: CborValue | undefined): value is Uint8Array => value instanceof Uint8Array;

function readBytes(value: CborValue | undefined, field: string, least: number, most: number): Uint8Array {
  if (!isBytes(value)) throw missing(field, "bytes", value);
  if (value.length < least || value.length > most)
    throw outOfRange(field, `${least} to ${most} bytes`, value.length);
  return value;
}

const readOptional = (value: CborValue | undefined, field: string, least: number): Uint8Array | undefined =>
  value === undefined || value === null ? undefined : readBytes(value, field, least, MAX_FIELD);

const outOfRange = (field: string, expected: string, found: number): ParseError =>
  new ParseError("OUT_OF_RANGE", field, { expected, found: `${found}` });

const missing = (field: string, expected: string, found: CborValue | undefined): ParseError =>
  new ParseError(found === undefined ? "MISSING" : "BAD_ENCODING", field, { expected });

/** A value for a message. */
function shown(value: CborValue | undefined): string {
  if (value === undefined) return "nothing";
  if (isBytes(value)) return `${value.length} bytes`;
  if (typeof value === "string") return quote(value);
  return typeof value === "object" ? "something else" : String(value);
}
