/**
 * The one error every parser throws: which rule broke, in which field, at which offset.
 * @module
 */

/** Why bytes or text were refused; a closed set, so callers may switch on it. */
export type ParseErrorCode =
  /** The input ends before the field does. */
  | "TRUNCATED"
  /** A signature, GUID or magic number is not the expected one. */
  | "BAD_MAGIC"
  /** A number or length lies outside what the format or our limits allow. */
  | "OUT_OF_RANGE"
  /** A field that must be zero is not. */
  | "NOT_ZERO"
  /** Something that must be unique appears twice. */
  | "DUPLICATE"
  /** Bytes remain after the last field. */
  | "TRAILING"
  /** Text is not in the one spelling that the format allows. */
  | "NOT_CANONICAL"
  /** A text encoding (UTF-8, hex, base64, decimal) is broken. */
  | "BAD_ENCODING"
  /** The format is known, this version or variant of it is not. */
  | "UNSUPPORTED"
  /** Larger than the named limit. */
  | "TOO_LARGE"
  /** A required part is absent. */
  | "MISSING"
  /** A checksum or digest stored in the input does not match its bytes. */
  | "BAD_DIGEST";

/** What a {@link ParseError} carries besides its code and field. */
export interface ParseErrorDetail {
  /** Absolute offset in the input, in bytes (for text: in bytes of its UTF-8 form). */
  readonly offset?: number;
  /** What the format wants there. */
  readonly expected?: string;
  /** What is there instead. */
  readonly found?: string;
}

/** Input that is malformed or hostile. `at` names the field in the words of the specification. */
export class ParseError extends Error {
  override readonly name = "ParseError";
  readonly code: ParseErrorCode;
  readonly at: string;
  readonly offset: number | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;

  constructor(code: ParseErrorCode, at: string, detail: ParseErrorDetail = {}) {
    super(describe(at, detail));
    this.code = code;
    this.at = at;
    this.offset = detail.offset;
    this.expected = detail.expected;
    this.found = detail.found;
  }
}

function describe(at: string, { offset, expected, found }: ParseErrorDetail): string {
  const place = offset === undefined ? "" : ` at offset 0x${offset.toString(16)}`;
  const wanted = expected === undefined ? "" : `: expected ${expected}`;
  const got = found === undefined ? "" : `${expected === undefined ? ":" : ","} found ${found}`;
  return `cannot read ${at}${place}${wanted}${got}`;
}
