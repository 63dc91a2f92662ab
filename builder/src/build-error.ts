/**
 * The one error of this package: a stable code, what was expected and found, and what to do next.
 * @module
 */
import type { ExecutionErrorCode } from "./execution-error-code.ts";
import type { ImageErrorCode } from "./image/image-error-code.ts";

/** Stable codes; `bootproof explain CODE` has a page for each. */
export type BuildErrorCode =
  | ExecutionErrorCode
  | ImageErrorCode
  /** The recipe is not readable YAML 1.2, or repeats a key. */
  | "BP-RECIPE-001"
  /** The recipe does not fit its schema: unknown or missing key, wrong type or spelling. */
  | "BP-RECIPE-002"
  /** The recipe is larger than the limit. */
  | "BP-RECIPE-003"
  /** The recipe file cannot be read. */
  | "BP-RECIPE-004"
  /** A component is absent, composes itself, or lacks the output that is taken from it. */
  | "BP-RECIPE-005"
  /** A file the recipe names beside itself is absent or unreadable. */
  | "BP-RECIPE-006"
  /** A folder beside a recipe cannot be pinned: a special file, a name that is not UTF-8, or it changed meanwhile. */
  | "BP-ENCLAVE-001"
  /** The signature that a recipe names is not of the image that it describes. */
  | "BP-ENCLAVE-004"
  /** These sections make no enclave image. */
  | "BP-EIF-060"
  /** A part of an enclave image changed while it was read. */
  | "BP-EIF-061"
  /** A part of an enclave image is no file. */
  | "BP-EIF-062"
  /** The lock is not readable or does not fit its schema. */
  | "BP-LOCK-001"
  /** The lock is not in its one canonical spelling. */
  | "BP-LOCK-002"
  /** The lock was made for another request than the recipe's. */
  | "BP-LOCK-003"
  /** There is no lock beside the recipe. */
  | "BP-LOCK-004"
  /** A component's lock is not the one that the composing lock names. */
  | "BP-LOCK-005"
  /** The suite's Release is not signed by a key of the Debian archive. */
  | "BP-RESOLVE-001"
  /** An index differs from the hash that Release gives. */
  | "BP-RESOLVE-002"
  /** A package, or something it depends on, is not in the suite. */
  | "BP-RESOLVE-003"
  /** A source package is not in the suite in the version asked for. */
  | "BP-RESOLVE-004"
  /** No mirror could be reached for the suite's metadata. */
  | "BP-RESOLVE-005"
  /** Signed metadata that we cannot read. */
  | "BP-RESOLVE-006"
  /** An input is on none of the mirrors that answer. */
  | "BP-INPUT-001"
  /** An input's bytes are not the ones the lock names. */
  | "BP-INPUT-002"
  /** An input is not in the store, and the network may not be used. */
  | "BP-INPUT-003"
  /** A git commit cannot be had. */
  | "BP-INPUT-004"
  /** The store's folder of downloads cannot be written: full, or read-only. */
  | "BP-INPUT-005"
  /** An input vanished from the store while it was needed. */
  | "BP-INPUT-006"
  /** An input in the store no longer has the bytes that were brought there. */
  | "BP-INPUT-007"
  /** No mirror answered, so nobody can say whether the input is still there. */
  | "BP-INPUT-008";

/** What a {@link BuildError} carries besides its code and message. */
export interface BuildErrorDetail {
  readonly file?: string;
  readonly offset?: number;
  readonly expected?: string;
  readonly found?: string;
  /** The likely cause, or the next command to type. */
  readonly hint?: string;
  /** Every problem found, one line each, when there may be several. */
  readonly issues?: readonly string[];
  readonly cause?: unknown;
}

/** Something about a build that does not hold; `code` is stable, the message may improve. */
export class BuildError extends Error {
  override readonly name = "BuildError";
  readonly code: BuildErrorCode;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;
  readonly issues: readonly string[];

  constructor(code: BuildErrorCode, message: string, detail: BuildErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.file = detail.file;
    this.offset = detail.offset;
    this.expected = detail.expected;
    this.found = detail.found;
    this.hint = detail.hint;
    this.issues = detail.issues ?? [];
  }
}

/** An input that was brought and is not there when it is wanted: somebody emptied the store meanwhile. */
export function goneFromStore(what: string, file: string): BuildError {
  return new BuildError("BP-INPUT-006", `${what} has vanished from the store since it was brought there`, {
    file,
    hint: "run the command again, and `bootproof store gc --all` only while nothing is built",
  });
}

/** An input whose bytes in the store have changed since it was brought: this machine's fault, not the lock's or a mirror's. */
export function damagedInStore(
  what: string,
  file: string,
  { expected, found }: { readonly expected: string; readonly found: string },
): BuildError {
  return new BuildError("BP-INPUT-007", `${what} in the store is not the one the lock names`, {
    file,
    expected: `sha256 ${expected}`,
    found: `sha256 ${found}`,
    hint: "delete this file and run the command again; `bootproof store verify` checks all others",
  });
}
