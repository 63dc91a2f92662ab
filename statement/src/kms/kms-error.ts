/**
 * The one error of the KMS part: a document that holds no policy, a policy that is refused, a request that is none.
 * @module
 */

/** Why there is no answer; a closed set. */
export type KmsErrorCode =
  /** The text is not JSON. */
  | "BP-KMS-001"
  /** A key stands twice in one object. */
  | "BP-KMS-002"
  /** The JSON holds no policy. */
  | "BP-KMS-003"
  /** A release gives an all-zero register, or is said to be a debug enclave's. */
  | "BP-KMS-070"
  /** A release lacks a register that is to be pinned. */
  | "BP-KMS-071"
  /** A register's value is not a SHA-384. */
  | "BP-KMS-072"
  /** A register that pins one machine or nothing. */
  | "BP-KMS-073"
  /** A principal that is not an ARN of a role, user or account. */
  | "BP-KMS-074"
  /** Two releases with one name, or the same release twice. */
  | "BP-KMS-075"
  /** An operation that takes no attestation document. */
  | "BP-KMS-076"
  /** More than a key policy may hold. */
  | "BP-KMS-077"
  /** A request that cannot be read. */
  | "BP-KMS-080";

/** What a {@link KmsError} carries besides its code and message. */
export interface KmsErrorDetail {
  /** Where in the text, in bytes. */
  readonly offset?: number | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  readonly hint?: string | undefined;
}

/** A document, release or request that gets no answer. */
export class KmsError extends Error {
  override readonly name = "KmsError";
  readonly code: KmsErrorCode;
  readonly offset: number | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: KmsErrorCode, message: string, detail: KmsErrorDetail = {}) {
    super(message);
    this.code = code;
    this.offset = detail.offset;
    this.expected = detail.expected;
    this.found = detail.found;
    this.hint = detail.hint;
  }
}
