/**
 * What can be told of an attestation document without its signature: whether it agrees with itself.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { readCertificate } from "@bootproof/bytes/certificate";
import { instanceOfModule, isDebug, pcr4Of } from "@bootproof/measure/nitro";
import type { UntrustedAttestationDocument } from "./attestation-document.ts";

/** A certificate of a document, as it says itself. */
export interface ShownCertificate {
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether the document's time lies between the two. */
  readonly coversTimestamp: boolean;
}

/** What a document says of itself, and where that fits. */
export interface DocumentConsistency {
  /** Whether PCR0, PCR1 and PCR2 are all zero: an enclave in debug mode, which proves nothing. */
  readonly debug: boolean;
  /** Whether some of PCR0, PCR1 and PCR2 are zero and others are not, which no enclave reports. */
  readonly partlyZero: boolean;
  /** Whether PCR4 is of the instance in the module's ID; undefined when one of the two is not there. */
  readonly pcr4IsModule: boolean | undefined;
  /** Whether the certificate that is to have signed the document is named after the module. */
  readonly certificateIsModule: boolean;
  /** Whether each certificate names the next one as its issuer; no signature is checked. */
  readonly chainInOrder: boolean;
  /** The document's certificate first, the root last. */
  readonly chain: readonly ShownCertificate[];
}

/** Compares the parts of a document with each other; throws ParseError for certificates that cannot be read. */
export function describeConsistency(document: UntrustedAttestationDocument): DocumentConsistency {
  const { pcrs, moduleId, timestamp, certificate, cabundle } = document;
  const chain = [certificate, ...[...cabundle].reverse()].map((der) => showCertificate(der, timestamp));
  const instance = instanceOfModule(moduleId);
  const pcr4 = pcrs.get(4);
  const zero = [0, 1, 2].map((index) => pcrs.get(index)?.every((byte) => byte === 0) === true);
  return {
    partlyZero: zero.includes(true) && zero.includes(false),
    chainInOrder: chain.every(({ issuer }, at) => issuer === (chain[at + 1]?.subject ?? issuer)),
    debug: isDebug(Object.fromEntries([...pcrs].map(([index, value]) => [`PCR${index}`, formatHex(value)]))),
    pcr4IsModule:
      instance === undefined || pcr4 === undefined
        ? undefined
        : formatHex(pcr4Of(instance)) === formatHex(pcr4),
    certificateIsModule: commonName(chain[0]?.subject ?? "").startsWith(`${moduleId}.`),
    chain,
  };
}

function showCertificate(der: Uint8Array, timestamp: number): ShownCertificate {
  const { subject, issuer, notBefore, notAfter } = readCertificate(der);
  const coversTimestamp = notBefore.getTime() <= timestamp && timestamp <= notAfter.getTime();
  return { subject, issuer, notBefore, notAfter, coversTimestamp };
}

const commonName = (subject: string): string => /(?:^|[,+])CN=([^,+]*)/.exec(subject)?.[1] ?? "";
