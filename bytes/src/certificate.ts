/**
 * X.509 certificates (RFC 5280), as much as judging a signature needs: whose key it is, when it holds, and the parts
 * from which a chain can be checked. Strict DER; nothing is believed or checked here.
 * @module
 */
import { equalBytes } from "./compare.ts";
import { contextTag, DER, type DerElement, DerReader } from "./der.ts";
import { parseDistinguishedName } from "./distinguished-name.ts";
import type { EcdsaCurve } from "./ecdsa.ts";
import { formatHex } from "./hex.ts";
import { formatObjectIdentifier } from "./object-identifier.ts";
import { ParseError } from "./parse-error.ts";
import { parseDerTime } from "./der-time.ts";

export { parsePemCertificates, type PemCertificate } from "./pem.ts";

/** An extension, its value unread. */
export interface CertificateExtension {
  readonly critical: boolean;
  /** DER. */
  readonly value: Uint8Array;
}

/** What a key may be used for, by RFC 5280's names. */
export type KeyUsage = (typeof KEY_USAGES)[number];

/** A certificate's fields; who signed it, and whether, is not known. */
export interface UntrustedCertificate {
  /** 1, 2 or 3. */
  readonly version: number;
  /** Hex, without leading zeros. */
  readonly serial: string;
  /** RFC 4514. */
  readonly issuer: string;
  /** RFC 4514. */
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The object identifier of the key's algorithm. */
  readonly keyAlgorithm: string;
  /** Undefined for keys of other kinds. */
  readonly curve: EcdsaCurve | undefined;
  /** x and y, as `@bootproof/bytes/ecdsa` takes them; undefined for keys of other kinds. */
  readonly publicKey: Uint8Array | undefined;
  /** Whether its key may sign certificates (basic constraints). */
  readonly isCa: boolean;
  /** How many certificates may stand between it and the last one. */
  readonly pathLength: number | undefined;
  /** Undefined when the certificate does not say. */
  readonly keyUsage: readonly KeyUsage[] | undefined;
  readonly extensions: ReadonlyMap<string, CertificateExtension>;
  /** The bytes that the issuer signed. */
  readonly signedPart: Uint8Array;
  /** The object identifier of the signature's algorithm. */
  readonly signatureAlgorithm: string;
  /** The issuer's signature; of ECDSA, DER for `parseEcdsaDer`. */
  readonly signature: Uint8Array;
  /** Names as bytes: an issuer's subject must equal them. */
  readonly issuerDer: Uint8Array;
  readonly subjectDer: Uint8Array;
}

const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const CURVES: Readonly<Record<string, readonly [EcdsaCurve, number]>> = {
  "1.2.840.10045.3.1.7": ["P-256", 32],
  "1.3.132.0.34": ["P-384", 48],
  "1.3.132.0.35": ["P-521", 66],
};
/** Object identifiers of ECDSA by the curve whose hash they use. */
export const ECDSA_ALGORITHMS: Readonly<Record<EcdsaCurve, string>> = {
  "P-256": "1.2.840.10045.4.3.2",
  "P-384": "1.2.840.10045.4.3.3",
  "P-521": "1.2.840.10045.4.3.4",
};
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

/** Parses a DER certificate without checking anybody's signature; throws {@link ParseError}. */
export function readCertificate(der: Uint8Array): UntrustedCertificate {
  const document = new DerReader(der);
  const certificate = document.inside(DER.sequence, "certificate");
  document.end("certificate");
  const signedElement = certificate.element(DER.sequence, "signed part of a certificate");
  const algorithm = certificate.element(DER.sequence, "signature algorithm");
  const signature = certificate.bitString("signature of a certificate");
  certificate.end("certificate");
  const { innerAlgorithm, ...fields } = readSignedPart(DerReader.within(signedElement));
  // RFC 5280 section 4.1.1.2: both must be the same, or the outer one, which is not signed, could be changed.
  if (!equalBytes(innerAlgorithm, algorithm.whole))
    throw new ParseError("NOT_CANONICAL", "signature algorithm", {
      offset: algorithm.offset,
      expected: formatHex(innerAlgorithm),
      found: formatHex(algorithm.whole),
    });
  return {
    ...fields,
    signedPart: signedElement.whole,
    signatureAlgorithm: readAlgorithm(DerReader.within(algorithm), "signature algorithm").name,
    signature,
  };
}

type SignedPart = Omit<UntrustedCertificate, "signedPart" | "signatureAlgorithm" | "signature"> & {
  readonly innerAlgorithm: Uint8Array;
};

/** TBSCertificate, in the order of the specification. */
function readSignedPart(reader: DerReader): SignedPart {
  const version = readVersion(reader);
  const serial = formatHex(reader.unsigned("serial number"));
  const innerAlgorithm = reader.element(DER.sequence, "signature algorithm").whole;
  const issuer = reader.element(DER.sequence, "issuer");
  const validity = reader.inside(DER.sequence, "validity");
  const notBefore = parseDerTime(validity.any("notBefore"), "notBefore");
  const notAfter = parseDerTime(validity.any("notAfter"), "notAfter");
  validity.end("validity");
  const subject = reader.element(DER.sequence, "subject");
  const key = readKey(reader.inside(DER.sequence, "public key"));
  for (const unique of [contextTag(1, "primitive"), contextTag(2, "primitive")])
    if (reader.next(unique)) requireBits(reader.any("unique identifier"), "unique identifier");
  const extensions = readExtensions(reader);
  reader.end("signed part of a certificate");
  return {
    version,
    serial,
    issuer: parseDistinguishedName(issuer, "issuer"),
    subject: parseDistinguishedName(subject, "subject"),
    notBefore,
    notAfter,
    ...key,
    ...readConstraints(extensions.get(BASIC_CONSTRAINTS)),
    keyUsage: readKeyUsage(extensions.get(KEY_USAGE)),
    extensions,
    innerAlgorithm,
    issuerDer: issuer.whole,
    subjectDer: subject.whole,
  };
}

function readVersion(reader: DerReader): number {
  if (!reader.next(contextTag(0, "constructed"))) return 1;
  const explicit = reader.inside(contextTag(0, "constructed"), "version");
  const [version = 0, more] = explicit.unsigned("version");
  explicit.end("version");
  // Version 1 is the default, which DER leaves out.
  if (more !== undefined || version < 1 || version > 2)
    throw new ParseError("UNSUPPORTED", "version", { expected: "2 or 3", found: `${version + 1}` });
  return version + 1;
}

interface Algorithm {
  readonly name: string;
  readonly parameters: DerElement | undefined;
}

/** AlgorithmIdentifier. Parameters of known algorithms are a name, NULL or a sequence, and what else there is, is refused. */
function readAlgorithm(reader: DerReader, field: string): Algorithm {
  const name = formatObjectIdentifier(reader.element(DER.objectIdentifier, field));
  if (!reader.more) return { name, parameters: undefined };
  const parameters = reader.any(`${field}'s parameters`);
  reader.end(field);
  const { tag, body, offset } = parameters;
  if (tag === DER.objectIdentifier) formatObjectIdentifier(parameters);
  else if (tag !== DER.sequence && (tag !== DER.null || body.length > 0))
    throw new ParseError("UNSUPPORTED", `${field}'s parameters`, {
      offset,
      expected: "an object identifier, NULL or a sequence",
    });
  return { name, parameters };
}

/** Demands what every string of bits has: how many of its last bits do not count. */
function requireBits({ body, offset }: DerElement, field: string): void {
  const [unused = 8] = body;
  if (unused > (body.length > 1 ? 7 : 0))
    throw new ParseError("OUT_OF_RANGE", field, { offset, expected: "a string of bits" });
}

function readKey(reader: DerReader): Pick<UntrustedCertificate, "keyAlgorithm" | "curve" | "publicKey"> {
  const { name: keyAlgorithm, parameters } = readAlgorithm(
    reader.inside(DER.sequence, "key algorithm"),
    "key algorithm",
  );
  const point = reader.bitString("public key");
  reader.end("public key");
  const named =
    keyAlgorithm === EC_PUBLIC_KEY && parameters?.tag === DER.objectIdentifier
      ? CURVES[formatObjectIdentifier(parameters)]
      : undefined;
  if (named === undefined) return { keyAlgorithm, curve: undefined, publicKey: undefined };
  const [curve, size] = named;
  if (point[0] !== 4 || point.length !== 1 + 2 * size)
    throw new ParseError("UNSUPPORTED", "public key", {
      expected: `an uncompressed point of ${1 + 2 * size} bytes`,
      found: `${point.length} bytes`,
    });
  return { keyAlgorithm, curve, publicKey: point.subarray(1) };
}

function readExtensions(reader: DerReader): Map<string, CertificateExtension> {
  const extensions = new Map<string, CertificateExtension>();
  if (!reader.next(contextTag(3, "constructed"))) return extensions;
  const explicit = reader.inside(contextTag(3, "constructed"), "extensions");
  const list = explicit.inside(DER.sequence, "extensions");
  explicit.end("extensions");
  while (list.more) {
    const extension = list.inside(DER.sequence, "extension");
    const name = formatObjectIdentifier(extension.element(DER.objectIdentifier, "extension"));
    const critical = extension.next(DER.boolean) && readBoolean(extension, "extension's critical");
    const value = extension.element(DER.octetString, "extension's value").body;
    extension.end("extension");
    if (extensions.has(name)) throw new ParseError("DUPLICATE", "extension", { found: name });
    extensions.set(name, { critical, value });
  }
  return extensions;
}

function readBoolean(reader: DerReader, field: string): boolean {
  const { body, offset } = reader.element(DER.boolean, field);
  if (body.length !== 1 || body[0] !== 0xff)
    throw new ParseError("NOT_CANONICAL", field, { offset, expected: "true, as false is left out" });
  return true;
}

function readConstraints(
  extension: CertificateExtension | undefined,
): Pick<UntrustedCertificate, "isCa" | "pathLength"> {
  if (extension === undefined) return { isCa: false, pathLength: undefined };
  const outer = new DerReader(extension.value);
  const reader = outer.inside(DER.sequence, "basic constraints");
  outer.end("basic constraints");
  const isCa = reader.next(DER.boolean) && readBoolean(reader, "cA");
  const length = reader.more ? reader.unsigned("pathLenConstraint") : undefined;
  reader.end("basic constraints");
  if (length !== undefined && length.length > 1)
    throw new ParseError("OUT_OF_RANGE", "pathLenConstraint", { expected: "at most 255" });
  return { isCa, pathLength: length?.[0] };
}

function readKeyUsage(extension: CertificateExtension | undefined): readonly KeyUsage[] | undefined {
  if (extension === undefined) return undefined;
  const outer = new DerReader(extension.value);
  const { body } = outer.element(DER.bitString, "key usage");
  outer.end("key usage");
  const [unused = 8, ...bits] = body;
  if (unused > 7 || bits.length > 2)
    throw new ParseError("OUT_OF_RANGE", "key usage", { expected: "nine bits" });
  return KEY_USAGES.filter((_, bit) => ((bits[bit >> 3] ?? 0) << (bit & 7)) & 0x80);
}
