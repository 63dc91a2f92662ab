/**
 * The signature of an EIF as it is shown: who signed, and whether what was signed is what the file measures to. What the
 * section says was signed is never believed: it is rebuilt from the PCR0 computed here.
 * @module
 */
import type { EifReading, UntrustedEifSignature } from "@bootproof/boot/eif";
import { type EifSignatureCheck, verifyEifSignature } from "@bootproof/boot/eif/signing";
import { formatHex, parseHex, sha384 } from "@bootproof/bytes";
import { pcrOf } from "@bootproof/measure/nitro";

import { oneLine } from "../report/printable.ts";
import { formatFields, formatTable } from "../report/table.ts";
import type { ReadingShown } from "./eif-readings.ts";

/** A signature as it is shown: taken apart and judged, or why it cannot be. */
export interface SignatureShown {
  readonly section?: UntrustedEifSignature;
  /** Lower-case hex. */
  readonly pcr8?: string;
  readonly checks: readonly EifSignatureCheck[];
  readonly problem?: string;
}

/** Judges the signature of a file, at a time when one is given; undefined for an unsigned file. */
export function describeSignature(
  { signature, parsedSignature: section }: Pick<EifReading, "signature" | "parsedSignature">,
  readings: readonly ReadingShown[],
  at?: Date,
): SignatureShown | undefined {
  if (signature === undefined) return undefined;
  if (section === undefined) return { checks: [], problem: "not judged: it cannot be read" };
  const pcr8 = formatHex(pcrOf(sha384(section.certificateDer)));
  // A file with two readings has two PCR0s: a signature of one of them says nothing of the other.
  const [only, second] = readings;
  const pcr0 = second === undefined ? only?.registers?.["PCR0"] : undefined;
  if (pcr0 === undefined)
    return { section, pcr8, checks: [], problem: "not judged: the file has no one PCR0" };
  return { section, pcr8, checks: verifyEifSignature(section, parseHex(pcr0, "PCR0"), at) };
}

/** Lines of a signature, and PCR8. */
export function formatSignature(shown: SignatureShown | undefined): string {
  if (shown === undefined) return "";
  const { section, checks, problem } = shown;
  return [
    "signature (the certificate is self-reported: nobody checks a chain, PCR8 names it)\n",
    ...(section === undefined ? [] : [formatSigner(section)]),
    formatChecks(checks),
    ...(problem === undefined ? [] : [`  ${oneLine(problem, 400)}\n`]),
  ].join("");
}

function formatSigner({ certificate, certificateDer, algorithm }: UntrustedEifSignature): string {
  return formatFields([
    ["  subject", oneLine(certificate.subject)],
    ["  issuer", oneLine(certificate.issuer)],
    ["  serial", certificate.serial],
    ["  key", `${certificate.curve ?? certificate.keyAlgorithm}, ${algorithm}`],
    ["  sha384 of the certificate", formatHex(sha384(certificateDer))],
  ]);
}

/** Checks, one a line. */
export function formatChecks(checks: readonly EifSignatureCheck[]): string {
  return formatTable(
    checks.map(({ answer, name, reason, code }) => [
      `  ${answer}`,
      name,
      oneLine(code === undefined || answer === "notice" ? reason : `${reason} (${code})`, 400),
    ]),
  );
}

/** A signature for programs. */
export function signatureDocument({ section, checks, problem, pcr8 }: SignatureShown): object {
  return {
    ...(section && {
      algorithm: section.algorithm,
      certificate: {
        subject: section.certificate.subject,
        issuer: section.certificate.issuer,
        serial: section.certificate.serial,
        notBefore: section.certificate.notBefore.toISOString(),
        notAfter: section.certificate.notAfter.toISOString(),
        sha384: formatHex(sha384(section.certificateDer)),
        count: section.certificateCount,
      },
      pcr8,
    }),
    checks,
    ...(problem !== undefined && { problem }),
  };
}
