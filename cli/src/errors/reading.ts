/**
 * Which file a parser refused. Apart from the pages of errors, which load when there is an error to show.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

/** A parser's refusal with the name of the file that it read. */
export class MalformedFile extends Error {
  readonly file: string;
  override readonly cause: ParseError;

  constructor(file: string, cause: ParseError) {
    super(`${file}: ${cause.message}`);
    this.file = file;
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
