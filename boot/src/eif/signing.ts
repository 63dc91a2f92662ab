/**
 * Signing enclave images, and judging signatures: apart from reading, as it loads elliptic curves.
 * A signature is judged over a payload that is made anew from the image's own PCR0. What the file says was signed is
 * only compared: AWS's own run-enclave takes a signature of another image.
 * @module
 */
import { equalBytes, formatHex, isCborMap, ParseError, parseStrictCbor, parseUtf8 } from "@bootproof/bytes";
import {
  parsePemCertificates,
  readCertificate,
  type UntrustedCertificate,
} from "@bootproof/bytes/certificate";
import { ecdsaPublicKey, ecdsaSign, ecdsaVerify } from "@bootproof/bytes/ecdsa";
import { EIF_ALGORITHMS, type EifAlgorithm, eifAlgorithmOfCurve } from "./algorithm.ts";
import type { EifCode } from "./finding.ts";
import {
  EIF_MAX_SIGNATURE_SIZE,
  encodeSignatureSection,
  inputOf,
  signatureInput,
  signaturePayload,
  type UntrustedEifSignature,
} from "./signature.ts";

/** One question about a signature and its answer; a notice is neither a yes nor a no. */
export interface EifSignatureCheck {
  readonly name: string;
  readonly answer: "yes" | "no" | "notice";
  readonly reason: string;
  /** Set unless the answer is yes. */
  readonly code?: EifCode | undefined;
}

/** Why a signature section was not made; `code` has a page. */
export class EifSignatureError extends Error {
  override readonly name = "EifSignatureError";
  readonly code: EifCode;

  constructor(code: EifCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The algorithm that the first certificate of a PEM text asks for; throws {@link ParseError}. */
export function algorithmOfCertificate(certificatePem: Uint8Array): EifAlgorithm {
  return signerOf(certificatePem).algorithm;
}

/** Signs an image with the private key of the first certificate; deterministic (RFC 6979). */
export function signEif(certificatePem: Uint8Array, privateKey: Uint8Array, pcr0: Uint8Array): Uint8Array {
  const { algorithm, certificate } = signerOf(certificatePem);
  const { curve } = EIF_ALGORITHMS[algorithm];
  if (!equalBytes(ecdsaPublicKey(curve, privateKey), certificate.publicKey ?? new Uint8Array()))
    throw new EifSignatureError("BP-EIF-040", "the private key is not that of the certificate");
  const signature = ecdsaSign(curve, privateKey, signatureInput(pcr0, algorithm));
  return signatureSection({ certificatePem, signature, pcr0 });
}

/**
 * The signature section for a signature (r and s) that was made anywhere, of {@link signatureInput}. Throws
 * {@link EifSignatureError} when it does not hold, or the section is larger than AWS's tools take.
 */
export function signatureSection(parts: {
  readonly certificatePem: Uint8Array;
  readonly signature: Uint8Array;
  readonly pcr0: Uint8Array;
}): Uint8Array {
  const { certificatePem, signature, pcr0 } = parts;
  const { algorithm, certificate } = signerOf(certificatePem);
  if (!holds(certificate, algorithm, signatureInput(pcr0, algorithm), signature))
    throw new EifSignatureError(
      "BP-EIF-035",
      "the signature is none of this image's PCR0 by the certificate's key",
    );
  const payload = signaturePayload(pcr0);
  const section = encodeSignatureSection({ certificatePem, algorithm, payload, signature });
  if (section.length > EIF_MAX_SIGNATURE_SIZE)
    throw new EifSignatureError(
      "BP-EIF-039",
      `the signature section would have ${section.length} bytes, at most ${EIF_MAX_SIGNATURE_SIZE} are taken`,
    );
  return section;
}

/** Judges a signature against the PCR0 that was computed from the image; dates only at a time that is handed in. */
export function verifyEifSignature(
  section: UntrustedEifSignature,
  pcr0: Uint8Array,
  at?: Date,
): EifSignatureCheck[] {
  return [
    checkPayload(section, pcr0),
    checkSignature(section, pcr0),
    checkDates(section.certificate, at),
    ...checkCount(section),
  ];
}

interface Signer {
  readonly algorithm: EifAlgorithm;
  readonly certificate: UntrustedCertificate;
}

function signerOf(certificatePem: Uint8Array): Signer {
  const field = "signing certificate";
  const [first] = parsePemCertificates(parseUtf8(certificatePem, field), field);
  const certificate = readCertificate(first?.der ?? new Uint8Array());
  const algorithm = eifAlgorithmOfCurve(certificate.curve);
  if (algorithm === undefined)
    throw new ParseError("UNSUPPORTED", field, {
      expected: "a key on P-256, P-384 or P-521",
      found: `a key of kind ${certificate.keyAlgorithm}`,
    });
  return { algorithm, certificate };
}

function holds(
  { publicKey }: UntrustedCertificate,
  algorithm: EifAlgorithm,
  input: Uint8Array,
  signature: Uint8Array,
): boolean {
  return publicKey !== undefined && ecdsaVerify(EIF_ALGORITHMS[algorithm].curve, publicKey, input, signature);
}

function checkPayload({ payload }: UntrustedEifSignature, pcr0: Uint8Array): EifSignatureCheck {
  const name = "signed PCR0";
  if (equalBytes(payload, signaturePayload(pcr0))) return { name, answer: "yes", reason: "this image's" };
  const signed = claimedPcr0(payload);
  const reason =
    signed === undefined ? "what was signed is no PCR0" : `another image's: ${formatHex(signed)}`;
  return { name, answer: "no", code: "BP-EIF-036", reason };
}

function claimedPcr0(payload: Uint8Array): Uint8Array | undefined {
  try {
    const value = parseStrictCbor(payload, "signed payload");
    const register = isCborMap(value) ? value.get("register_value") : undefined;
    if (!Array.isArray(register)) return undefined;
    const bytes = Uint8Array.from(register.filter((item) => typeof item === "number"));
    return bytes.length === 48 && equalBytes(signaturePayload(bytes), payload) ? bytes : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function checkSignature(section: UntrustedEifSignature, pcr0: Uint8Array): EifSignatureCheck {
  const name = "signature";
  const { certificate, algorithm, signature, payload } = section;
  if (holds(certificate, algorithm, signatureInput(pcr0, algorithm), signature))
    return { name, answer: "yes", reason: `${algorithm} by ${certificate.subject}` };
  const other = holds(certificate, algorithm, inputOf(payload, algorithm), signature);
  const reason = other
    ? `none of this image: ${certificate.subject} signed something else`
    : `does not hold under the key of ${certificate.subject}`;
  return { name, answer: "no", code: "BP-EIF-035", reason };
}

function checkDates({ notBefore, notAfter }: UntrustedCertificate, at: Date | undefined): EifSignatureCheck {
  const name = "certificate's dates";
  const range = `valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}`;
  if (at === undefined)
    return { name, answer: "notice", code: "BP-EIF-038", reason: `${range}, not compared` };
  const when = at < notBefore ? "not yet valid" : at > notAfter ? "expired" : undefined;
  if (when === undefined) return { name, answer: "yes", reason: range };
  return { name, answer: "notice", code: "BP-EIF-038", reason: `${when} at ${at.toISOString()}: ${range}` };
}

function checkCount({ certificateCount }: UntrustedEifSignature): EifSignatureCheck[] {
  if (certificateCount === 1) return [];
  const reason = `${certificateCount} in the file: PCR8 covers the first, nobody checks a chain`;
  return [{ name: "certificates", answer: "notice", code: "BP-EIF-037", reason }];
}
