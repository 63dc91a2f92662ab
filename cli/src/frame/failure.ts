/**
 * The one error a verb ends with: a stable code, what was expected and found, and what to type next.
 * @module
 */
import type { ExitCode } from "./exit-code.ts";

/** What a {@link Failure} carries besides its code and message. */
export interface FailureDetail {
  /** The file at fault, as the user named it. */
  readonly file?: string | undefined;
  /** Where in the file, in bytes. */
  readonly offset?: number | undefined;
  /** What should have been there. */
  readonly expected?: string | undefined;
  /** What is there. */
  readonly found?: string | undefined;
  /** The next command to type, or the likely cause. */
  readonly hint?: string | undefined;
  /** Every problem found, one line each, when there may be several. */
  readonly issues?: readonly string[] | undefined;
  /** The error underneath, shown with `--verbose`. */
  readonly cause?: unknown;
}

/** A verb that cannot give an answer, and why. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: string;
  readonly exit: ExitCode;
  readonly detail: FailureDetail;

  constructor(code: string, exit: ExitCode, message: string, detail: FailureDetail = {}) {
    super(message, { cause: detail.cause });
    this.code = code;
    this.exit = exit;
    this.detail = detail;
  }
}
