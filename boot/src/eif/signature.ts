/**
 * The signature section of an EIF: what is signed, and the bytes that hold certificate and signature.
 * aws-nitro-enclaves-image-format writes a CBOR array of one map { signing_certificate, signature }: the PEM text and
 * an untagged COSE_Sign1 (RFC 9052), both as arrays of integers, a byte each; readers refuse byte strings there.
 * @module
 */
import {
  type CborValue,
  encodeCbor,
  equalBytes,
  isCborArray,
  isCborMap,
  ParseError,
  parseStrictCbor,
  parseUtf8,
} from "@bootproof/bytes";
import {
  parsePemCertificates,
  readCertificate,
  type UntrustedCertificate,
} from "@bootproof/bytes/certificate";
import { EIF_ALGORITHMS, type EifAlgorithm, eifAlgorithmOfCurve, eifAlgorithmOfId } from "./algorithm.ts";

/** AWS's tools take no larger section. */
export const EIF_MAX_SIGNATURE_SIZE: number = 2 ** 15;
const PCR_LENGTH = 48;
const COSE_ALGORITHM = 1;

/** Fields as errors name them; findings get their codes by them. */
export const SIGNATURE_FIELDS = {
  section: "EIF signature section",
  elements: "EIF signature elements",
  certificate: "EIF signing_certificate",
  pem: "EIF signing certificate",
  algorithm: "EIF signature algorithm",
} as const;

/** What a signature section says; nothing in it has been checked against the image. */
export interface UntrustedEifSignature {
  /** The text as it stands in the file. */
  readonly certificatePem: Uint8Array;
  /** How many certificates the text holds; the first counts. */
  readonly certificateCount: number;
  /** The first certificate, whose digest goes into PCR8. */
  readonly certificateDer: Uint8Array;
  readonly certificate: UntrustedCertificate;
  readonly algorithm: EifAlgorithm;
  /** What was signed, as the file says. */
  readonly payload: Uint8Array;
  /** r and s. */
  readonly signature: Uint8Array;
}

/** What is signed of an image: its PCR0. */
export function signaturePayload(pcr0: Uint8Array): Uint8Array {
  if (pcr0.length !== PCR_LENGTH) throw new RangeError(`PCR0 has ${PCR_LENGTH} bytes, not ${pcr0.length}`);
  const entries: [string, CborValue][] = [
    ["register_index", 0],
    ["register_value", Array.from(pcr0)],
  ];
  return encodeCbor(new Map(entries));
}

/** The bytes that a key signs (COSE's Sig_structure), for a key that lives elsewhere. */
export function signatureInput(pcr0: Uint8Array, algorithm: EifAlgorithm): Uint8Array {
  return inputOf(signaturePayload(pcr0), algorithm);
}

/** As {@link signatureInput}, of a payload that somebody else wrote. */
export function inputOf(payload: Uint8Array, algorithm: EifAlgorithm): Uint8Array {
  return encodeCbor(["Signature1", protectedHeader(algorithm), new Uint8Array(), payload]);
}

const protectedHeader = (algorithm: EifAlgorithm): Uint8Array =>
  encodeCbor(new Map([[COSE_ALGORITHM, EIF_ALGORITHMS[algorithm].id]]));

/** The bytes of a signature section. */
export function encodeSignatureSection(
  parts: Pick<UntrustedEifSignature, "certificatePem" | "algorithm" | "payload" | "signature">,
): Uint8Array {
  const cose = encodeCbor([protectedHeader(parts.algorithm), new Map(), parts.payload, parts.signature]);
  const entries: [string, CborValue][] = [
    ["signing_certificate", Array.from(parts.certificatePem)],
    ["signature", Array.from(cose)],
  ];
  return encodeCbor([new Map(entries)]);
}

/** Takes a signature section apart, in the one spelling that AWS's tools write; throws {@link ParseError}. */
export function parseSignatureSection(bytes: Uint8Array): UntrustedEifSignature {
  const field = SIGNATURE_FIELDS.section;
  if (bytes.length > EIF_MAX_SIGNATURE_SIZE)
    throw new ParseError("TOO_LARGE", field, {
      expected: `at most ${EIF_MAX_SIGNATURE_SIZE}`,
      found: `${bytes.length}`,
    });
  const { certificate: pemInts, signature: coseInts } = readElement(parseStrictCbor(bytes, field));
  const certificatePem = byteArray(pemInts, SIGNATURE_FIELDS.certificate);
  const pem = readPem(certificatePem);
  const cose = readCose(byteArray(coseInts, field));
  checkCurve(pem.certificate, cose);
  const parts = { certificatePem, ...pem, ...cose };
  // What is left that could differ is the order of keys.
  if (!equalBytes(encodeSignatureSection(parts), bytes))
    throw new ParseError("NOT_CANONICAL", field, { expected: "the order of keys that AWS's tools write" });
  return parts;
}

function readElement(value: CborValue): {
  certificate: CborValue | undefined;
  signature: CborValue | undefined;
} {
  const field = SIGNATURE_FIELDS.elements;
  if (!isCborArray(value)) throw new ParseError("BAD_MAGIC", field, { expected: "an array" });
  const [element] = value;
  if (value.length !== 1)
    throw new ParseError("OUT_OF_RANGE", field, { expected: "1", found: `${value.length}` });
  if (!isCborMap(element) || element.size !== 2)
    throw new ParseError("BAD_MAGIC", SIGNATURE_FIELDS.section, { expected: "a map of two" });
  return { certificate: element.get("signing_certificate"), signature: element.get("signature") };
}

/** AWS's Vec<u8>: an array of integers below 256. */
function byteArray(value: CborValue | undefined, field: string): Uint8Array {
  if (value instanceof Uint8Array)
    throw new ParseError("BAD_MAGIC", field, { expected: "an array of integers", found: "a byte string" });
  if (!isCborArray(value)) throw new ParseError("MISSING", field, { expected: "an array of integers" });
  const isByte = (item: CborValue): item is number => typeof item === "number" && item >= 0 && item < 256;
  if (!value.every(isByte)) throw new ParseError("OUT_OF_RANGE", field, { expected: "integers below 256" });
  return Uint8Array.from(value);
}

function readPem(
  bytes: Uint8Array,
): Pick<UntrustedEifSignature, "certificateCount" | "certificateDer" | "certificate"> {
  const field = SIGNATURE_FIELDS.pem;
  const certificates = parsePemCertificates(parseUtf8(bytes, field), field);
  const [{ der: certificateDer }] = certificates as [(typeof certificates)[number]];
  return {
    certificateCount: certificates.length,
    certificateDer,
    certificate: inField(field, () => readCertificate(certificateDer)),
  };
}

/** Names the certificate in errors that name a field of it. */
function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ParseError(error.code, field, {
      expected: `${error.at} that can be read`,
      found: error.message,
    });
  }
}

function readCose(bytes: Uint8Array): Pick<UntrustedEifSignature, "algorithm" | "payload" | "signature"> {
  const field = SIGNATURE_FIELDS.section;
  const value = parseStrictCbor(bytes, field);
  const expected = "an untagged COSE_Sign1 of four";
  if (!isCborArray(value) || value.length !== 4) throw new ParseError("BAD_MAGIC", field, { expected });
  const [header, unprotected, payload, signature] = value;
  if (
    !(header instanceof Uint8Array) ||
    !(payload instanceof Uint8Array) ||
    !(signature instanceof Uint8Array)
  )
    throw new ParseError("BAD_MAGIC", field, { expected: "byte strings in a COSE_Sign1" });
  if (!isCborMap(unprotected) || unprotected.size !== 0)
    throw new ParseError("NOT_CANONICAL", field, { expected: "no unprotected headers" });
  const headers = parseStrictCbor(header, field);
  const id = isCborMap(headers) && headers.size === 1 ? headers.get(COSE_ALGORITHM) : undefined;
  const algorithm = eifAlgorithmOfId(id);
  if (algorithm === undefined)
    throw new ParseError("UNSUPPORTED", SIGNATURE_FIELDS.algorithm, {
      expected: "ES256, ES384 or ES512, and no other header",
      ...(typeof id === "number" ? { found: `${id}` } : {}),
    });
  return { algorithm, payload, signature };
}

function checkCurve(
  { curve, keyAlgorithm }: UntrustedCertificate,
  { algorithm, signature }: Pick<UntrustedEifSignature, "algorithm" | "signature">,
): void {
  const field = SIGNATURE_FIELDS.algorithm;
  const wanted = eifAlgorithmOfCurve(curve);
  if (wanted !== algorithm)
    throw new ParseError("OUT_OF_RANGE", field, {
      expected: wanted ?? "a certificate with a key on P-256, P-384 or P-521",
      found: wanted === undefined ? `a key of kind ${keyAlgorithm}` : algorithm,
    });
  const { signatureLength } = EIF_ALGORITHMS[algorithm];
  if (signature.length !== signatureLength)
    throw new ParseError("OUT_OF_RANGE", field, {
      expected: `a signature of ${signatureLength} bytes`,
      found: `${signature.length}`,
    });
}
