/**
 * What is wrong inside of the metadata and signature sections. Both must be what AWS's tools can read.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import type { EifCode, EifFinding } from "./finding.ts";
import type { UntrustedEifSection } from "./layout.ts";
import { type EifMetadata, parseEifMetadata } from "./metadata.ts";
import { parseSignatureSection, SIGNATURE_FIELDS, type UntrustedEifSignature } from "./signature.ts";

/** What was parsed, if it could be, and what there is to know about it. */
export interface Judged<T> {
  readonly value: T | undefined;
  readonly findings: readonly EifFinding[];
}

/** Parses and judges the metadata section. */
export function judgeMetadata(
  bytes: Uint8Array,
  section: UntrustedEifSection,
  index: number,
): Judged<EifMetadata> {
  // Our limits are not the format's: metadata that other tools read is a notice.
  const limits = ["DUPLICATE", "OUT_OF_RANGE", "TOO_LARGE"];
  return attempt(
    () => parseEifMetadata(bytes),
    (error) => ({
      code: "BP-EIF-020",
      severity: limits.includes(error.code) ? "notice" : "malformed",
      ...placed(error, section, index),
    }),
  );
}

/** Parses and judges the signature section, as far as that goes without the image's PCR0. */
export function judgeSignature(
  bytes: Uint8Array,
  section: UntrustedEifSection,
  index: number,
): Judged<UntrustedEifSignature> {
  const judged = attempt(
    () => parseSignatureSection(bytes),
    (error) => ({ code: signatureCode(error), severity: "malformed", ...placed(error, section, index) }),
  );
  const count = judged.value?.certificateCount ?? 1;
  if (count === 1) return judged;
  const several: EifFinding = {
    code: "BP-EIF-037",
    severity: "notice",
    message: `${count} certificates: PCR8 covers the first, and nobody checks a chain`,
    section: index,
    offset: section.offset,
    found: `${count}`,
  };
  return { ...judged, findings: [...judged.findings, several] };
}

function signatureCode({ at }: ParseError): EifCode {
  switch (at) {
    case SIGNATURE_FIELDS.elements:
      return "BP-EIF-031";
    case SIGNATURE_FIELDS.certificate:
      return "BP-EIF-032";
    case SIGNATURE_FIELDS.pem:
      return "BP-EIF-033";
    case SIGNATURE_FIELDS.algorithm:
      return "BP-EIF-034";
    default:
      return "BP-EIF-030";
  }
}

function attempt<T>(parse: () => T, judge: (error: ParseError) => EifFinding): Judged<T> {
  try {
    return { value: parse(), findings: [] };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { value: undefined, findings: [judge(error)] };
  }
}

// Offsets in errors count from wherever the part starts that was being read: the section's start is what is sure.
function placed(
  { at, expected, found }: ParseError,
  { offset }: UntrustedEifSection,
  section: number,
): Pick<EifFinding, "message" | "section" | "offset" | "expected" | "found"> {
  return { message: `cannot read ${at}`, section, offset, expected, found };
}
