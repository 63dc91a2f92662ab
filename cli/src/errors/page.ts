/**
 * The offline page of one error code.
 * @module
 */
import type { ExitCode } from "../frame/exit-code.ts";

/** What `bootproof explain CODE` prints, and the exit status that goes with the code. */
export interface Page {
  /** What went wrong, in half a sentence. */
  readonly title: string;
  readonly exit: ExitCode;
  /** Why it happens. */
  readonly why: string;
  /** What to do about it. */
  readonly fix: string;
}

/** Pages by code. */
export type Pages = Readonly<Record<string, Page>>;
