/**
 * The one error of this package: which file could not be written, read or believed, and why.
 * @module
 */

/** Why the store refused or failed; stable codes, a closed set. */
export type StoreErrorCode =
  /** The disk or the quota is full. */
  | "BP-STORE-001"
  /** The file system reports an I/O error, fsync included: what was written may be lost. */
  | "BP-STORE-002"
  /** Permission denied, or a read-only file system. */
  | "BP-STORE-003"
  /** A stored blob no longer has the digest that names it. */
  | "BP-STORE-004"
  /** The bytes offered are not the ones expected. */
  | "BP-STORE-005"
  /** More bytes than the caller's limit. */
  | "BP-STORE-006"
  /** An immutable object exists with other bytes. */
  | "BP-STORE-007"
  /** A name that the store does not accept. */
  | "BP-STORE-008"
  /** A file or directory that must be there is not. */
  | "BP-STORE-009"
  /** Any other answer of the operating system. */
  | "BP-STORE-010"
  /** Another writer replaced the object first. */
  | "BP-STORE-020"
  /** The S3 store does not keep to the conditions of a write. */
  | "BP-STORE-021"
  /** The S3 store cannot be reached, or its answer to a question was lost. */
  | "BP-STORE-022"
  /** The S3 store refused a request. */
  | "BP-STORE-023"
  /** The answer of the S3 store to a write was lost: it happened or it did not. */
  | "BP-STORE-024"
  /** The S3 store answers something that cannot be right. */
  | "BP-STORE-025"
  /** An endpoint, a region or a bucket that is not accepted. */
  | "BP-STORE-026"
  /** The database cannot be reached, or its answer to a question was lost. */
  | "BP-STORE-030"
  /** A database URL, or a password file, that is not accepted. */
  | "BP-STORE-031"
  /** The database may forget what it acknowledged. */
  | "BP-STORE-032"
  /** The tables were made by a later version. */
  | "BP-STORE-033"
  /** The answer to a write was lost: it happened or it did not. */
  | "BP-STORE-034"
  /** The lock of a log's writer was lost. */
  | "BP-STORE-035"
  /** The database refused a statement. */
  | "BP-STORE-036"
  /** The database takes no writes. */
  | "BP-STORE-037"
  /** The database answers something else than our tables hold. */
  | "BP-STORE-038"
  /** The index of keys is damaged; it has been removed, to be made anew. */
  | "BP-STORE-040";

/** What a {@link StoreError} carries besides code and message. */
export interface StoreErrorDetail {
  readonly file?: string;
  readonly expected?: string;
  readonly found?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failed or refused store operation. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly file: string | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: StoreErrorCode, message: string, detail: StoreErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.code = code;
    this.file = detail.file;
    this.expected = detail.expected;
    this.found = detail.found;
    this.hint = detail.hint;
  }
}

const FULL = "free some space, run `bootproof store gc`, or point BOOTPROOF_STORE at a larger disk";
const DENIED = "check the owner and mode of the directory, or point BOOTPROOF_STORE at one you may write";

const SYSTEM: Readonly<Record<string, readonly [StoreErrorCode, string, string?]>> = {
  ENOSPC: ["BP-STORE-001", "no space left on the device", FULL],
  EDQUOT: ["BP-STORE-001", "the disk quota is used up", FULL],
  EIO: ["BP-STORE-002", "input/output error", "check the disk: what was just written may be lost"],
  EACCES: ["BP-STORE-003", "permission denied", DENIED],
  EPERM: ["BP-STORE-003", "operation not permitted", DENIED],
  EROFS: ["BP-STORE-003", "the file system is read-only", DENIED],
  ENOENT: ["BP-STORE-009", "no such file or directory"],
};

/** The system's errno name of `error`, or undefined when it is no system error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Turns a failed system call into a {@link StoreError}: "cannot <action> <file>: <why>". */
export function systemError(action: string, file: string, cause: unknown): StoreError {
  const errno = errnoOf(cause);
  const known = errno === undefined ? undefined : SYSTEM[errno];
  const [code, why, hint] = known ?? ["BP-STORE-010", cause instanceof Error ? cause.message : String(cause)];
  return new StoreError(code, `cannot ${action} ${file}: ${why}`, {
    file,
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Awaits one file-system call and names action and file when it fails. */
export async function system<T>(action: string, file: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw systemError(action, file, cause);
  }
}
