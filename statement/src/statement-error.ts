/**
 * The one error of this package for what is well-formed and yet refused; malformed input is a ParseError.
 * @module
 */

/** Why a statement or envelope was refused; a closed set. */
export type StatementErrorCode =
  /** No signature is by a key that the caller named. */
  | "BP-STATEMENT-001"
  /** A signature that claims a named key does not verify. */
  | "BP-STATEMENT-002"
  /** The envelope is larger than a log leaf may be. */
  | "BP-STATEMENT-003"
  /** The statement would publish an empty or all-zero value. */
  | "BP-STATEMENT-004";

/** A refused statement or envelope. */
export class StatementError extends Error {
  override readonly name = "StatementError";
  readonly code: StatementErrorCode;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(
    code: StatementErrorCode,
    message: string,
    detail: { readonly expected?: string; readonly found?: string; readonly hint?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.expected = detail.expected;
    this.found = detail.found;
    this.hint = detail.hint;
  }
}
