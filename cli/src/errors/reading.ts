/**
 * Which file a parser refused. Apart from the pages of errors, which load when there is an error to show.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

import { shellWord } from "../frame/typed.ts";

/** A parser's refusal with the name of the file that it read. */
export class MalformedFile extends Error {
  readonly file: string;
  readonly hint: string | undefined;
  override readonly cause: ParseError;

  constructor(file: string, cause: ParseError, hint?: string) {
    super(`${file}: ${cause.message}`);
    this.file = file;
    this.hint = hint;
    this.cause = cause;
  }
}

/** Runs a parser on the bytes of a named file, so that its refusal names the file. */
export function reading<Result>(file: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    throw error instanceof ParseError ? new MalformedFile(file, error) : error;
  }
}

/** Like {@link reading}, for firmware: the engine stops at the first fault, and the hint is where to see all. */
export function readingFirmware<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const hint = `bootproof inspect firmware ${shellWord(file)} lists all that is wrong with it`;
    throw new MalformedFile(file, error, hint);
  }
}
