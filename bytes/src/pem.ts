/**
 * Certificates as text (RFC 7468): base64 between BEGIN and END lines. Text around them is skipped, as OpenSSL does.
 * @module
 */
import { parseBase64 } from "./base64.ts";
import { quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";

/** A certificate of a PEM text. */
export interface PemCertificate {
  /** The certificate as ASN.1 DER. */
  readonly der: Uint8Array;
  /** Where its BEGIN line starts in the text. */
  readonly offset: number;
}

// BEGIN and END stand alone on lines that end with a line feed: of a BEGIN inside of a line, OpenSSL sees nothing and
// GnuTLS a certificate, and the first certificate counts.
const LABELS = "[A-Z0-9 ]{0,40}";
const BLOCK = new RegExp(
  `(?<![^\\n])-----BEGIN (${LABELS})-----[ \\t]{0,8}\\r?\\n([^-]*)(?<=\\n)-----END (${LABELS})-----[ \\t]{0,8}\\r?(?=\\n|$)`,
  "g",
);
/** Control characters but tab and line ends: C code may take a NUL for the end of the text. */
const CONTROL = /[^\t\n\r\u0020-\uffff]/;
const LABEL = "CERTIFICATE";

/**
 * Parses all certificates of a PEM text, at least one. Throws {@link ParseError}, also for anything but certificates
 * in it: a private key that stands beside its certificate must not travel along.
 */
export function parsePemCertificates(text: string, field = "PEM certificate"): PemCertificate[] {
  const control = text.search(CONTROL);
  if (control !== -1)
    throw new ParseError("BAD_ENCODING", field, {
      offset: control,
      expected: "text without control characters",
    });
  const found = Array.from(text.matchAll(BLOCK), (block) => parseBlock(block, field));
  const around = text.replaceAll(BLOCK, "");
  const stray = around.indexOf("-----");
  if (stray !== -1)
    throw new ParseError("BAD_ENCODING", field, {
      expected: "BEGIN and END lines in pairs",
      found: quote(around.slice(stray, stray + 40)),
    });
  if (found.length === 0) throw new ParseError("MISSING", field, { expected: `-----BEGIN ${LABEL}-----` });
  return found;
}

function parseBlock(block: RegExpExecArray, field: string): PemCertificate {
  const [, begin = "", body = "", end = ""] = block;
  const offset = block.index;
  if (begin !== LABEL || end !== LABEL)
    throw new ParseError("UNSUPPORTED", field, {
      offset,
      expected: `a block ${LABEL}`,
      found: quote(begin === LABEL ? `END ${end}` : begin),
    });
  return { der: parseBase64(body.replaceAll(/[ \t\r\n]/g, ""), field), offset };
}
