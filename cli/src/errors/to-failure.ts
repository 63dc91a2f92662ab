/**
 * Any error of any package becomes a {@link Failure}: stable code, exit status, and no stack.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

import { EXIT } from "../frame/exit-code.ts";
import { Failure, type FailureDetail } from "../frame/failure.ts";
import { errno, inputFailure, outputFailure } from "../frame/files.ts";
import { PAGES } from "./pages.ts";
import { PARSE_CODES } from "./parse-pages.ts";
import { MalformedFile } from "./reading.ts";

export { reading } from "./reading.ts";

/** Turns whatever was thrown into a failure; `file` names the input being read, when one is known. */
export function toFailure(error: unknown, file?: string): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof MalformedFile) return parseFailure(error.cause, error.file, error.hint);
  if (error instanceof ParseError) return parseFailure(error, file);
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    const page = PAGES[error.code];
    if (page !== undefined) return new Failure(error.code, page.exit, error.message, detailOf(error, file));
  }
  return systemFailure(error) ?? bug(error);
}

/** The failure for malformed input. */
export function parseFailure(error: ParseError, file?: string, hint?: string): Failure {
  const { at, offset, expected, found } = error;
  const code = PARSE_CODES[error.code];
  const why = PAGES[code]?.title ?? error.code;
  const detail = { file, offset, expected, found, hint, cause: error };
  return new Failure(code, EXIT.malformed, `cannot read ${at}: ${why}`, detail);
}

// The packages' error classes differ; they share these fields (and a code that has a page).
function detailOf(error: Error, file: string | undefined): FailureDetail {
  const field = (name: string): unknown =>
    name in error ? (error as unknown as Record<string, unknown>)[name] : undefined;
  const text = (name: string): string | undefined => {
    const value = field(name);
    return typeof value === "string" ? value : undefined;
  };
  const offset = field("offset");
  const issues = field("issues");
  return {
    file: text("file") ?? file,
    offset: typeof offset === "number" ? offset : undefined,
    expected: text("expected"),
    found: text("found"),
    hint: text("hint"),
    issues: Array.isArray(issues) ? issues.filter((issue) => typeof issue === "string") : [],
    cause: error,
  };
}

const READING = new Set(["open", "read", "stat", "lstat", "scandir", "readlink", "access", "realpath"]);

function systemFailure(error: unknown): Failure | undefined {
  const code = errno(error);
  if (code === undefined || !(error instanceof Error)) return undefined;
  const path = "path" in error && typeof error.path === "string" ? error.path : "(unnamed)";
  const syscall = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "";
  const full = code === "ENOSPC" || code === "EDQUOT" || code === "EROFS";
  if (!full && READING.has(syscall)) return inputFailure(path, error);
  const WRITING = [
    "write",
    "mkdir",
    "rename",
    "unlink",
    "link",
    "symlink",
    "fsync",
    "copyfile",
    "rmdir",
    "mkdtemp",
    "chmod",
  ];
  return full || WRITING.includes(syscall) ? outputFailure(path, error) : undefined;
}

function bug(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const hint = "this is a bug of bootproof; run again with --verbose and report what it prints";
  return new Failure("BP-BUG-001", EXIT.bug, `unforeseen: ${message}`, { hint, cause: error });
}
