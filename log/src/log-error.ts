/**
 * The one error of this package that is not about malformed bytes: what went wrong with a log, its storage or its
 * signatures.
 * @module
 */

/** Stable code of each failure; a closed set, so callers may switch on it. */
export const LOG_ERROR_CODES = {
  /** Another writer moved the head. This process must stop; reopening decides what was committed. */
  CONFLICT: "BP-LOG-001",
  /** An earlier failure stopped this writer; reopen the log. */
  STOPPED: "BP-LOG-002",
  /** No log at this place. */
  NO_LOG: "BP-LOG-003",
  /** There is a log at this place already. */
  EXISTS: "BP-LOG-004",
  /** The public checkpoint is larger than the head: the head was rolled back. */
  ROLLBACK: "BP-LOG-005",
  /** Two signed checkpoints contradict each other. */
  FORK: "BP-LOG-006",
  /** Signed for another origin or by another key. */
  WRONG_LOG: "BP-LOG-007",
  /** A known key's signature does not verify, or no known key signed. */
  BAD_SIGNATURE: "BP-LOG-008",
  /** A tile, bundle or stage is absent. */
  MISSING_OBJECT: "BP-LOG-009",
  /** A tile, bundle, stage or head does not hash to what was committed. */
  CORRUPT_OBJECT: "BP-LOG-010",
  /** An entry is longer than a bundle can hold. */
  ENTRY_TOO_LARGE: "BP-LOG-011",
  /** An index or size lies outside the tree. */
  OUT_OF_TREE: "BP-LOG-012",
  /** Another process is writing to the log; this one has done nothing. */
  LOCKED: "BP-LOG-014",
  /** Fewer witnesses cosigned the checkpoint than the policy asks for: entries are committed but not public. */
  UNWITNESSED: "BP-LOG-015",
  /** The log was frozen: it takes no more entries. */
  FROZEN: "BP-LOG-016",
} as const;

/** Name of a failure. */
export type LogErrorKind = keyof typeof LOG_ERROR_CODES;

/** What a {@link LogError} carries besides its kind and message. */
export interface LogErrorDetail {
  /** Key of the object concerned, relative to its root. */
  readonly file?: string;
  /** Offset in that object, in bytes. */
  readonly offset?: number;
  readonly expected?: string;
  readonly found?: string;
  /** The next thing to do. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A log that cannot do, or must not do, what was asked. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly kind: LogErrorKind;
  readonly code: (typeof LOG_ERROR_CODES)[LogErrorKind];
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(kind: LogErrorKind, message: string, detail: LogErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.kind = kind;
    this.code = LOG_ERROR_CODES[kind];
    this.file = detail.file;
    this.offset = detail.offset;
    this.expected = detail.expected;
    this.found = detail.found;
    this.hint = detail.hint;
  }
}
