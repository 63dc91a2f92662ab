/**
 * Words of a command line, with the place each comes from.
 * @module
 */
import { ParseError, utf8 } from "@bootproof/bytes";

/** One word, as the program receives it. */
export interface Word {
  readonly text: string;
  /** Where it begins in the text, in UTF-16 units. */
  readonly at: number;
  /** What a shell would have expanded in it: the characters, and where. */
  readonly expansion?: { readonly what: string; readonly at: number };
}

/** How the words were told apart. */
export type WordForm =
  /** Given one by one, or by NUL bytes as in /proc/PID/cmdline: exact. */
  | "exact"
  /** By a shell's rules. */
  | "shell"
  /** By spaces alone: `ps` prints no quotes. */
  | "ps";

/** More than Linux passes to a program in all (ARG_MAX is 2 MiB, of which the environment is a part). */
export const MAX_COMMAND_LINE: number = 1024 * 1024;
/** Linux's MAX_ARG_STRLEN: no argument is longer. */
export const MAX_WORD: number = 128 * 1024;
/** The longest command lines of libvirt have a few hundred. */
export const MAX_WORDS = 8192;

/** Refuses text above `limit` characters. */
export function checkLength(text: string, field: string, limit: number, at = 0): void {
  if (text.length > limit)
    throw new ParseError("TOO_LARGE", field, {
      offset: at,
      expected: `at most ${limit} characters`,
      found: `${text.length}`,
    });
}

/** Refuses more words than any program is started with. */
export function checkCount(count: number, at: number): void {
  if (count > MAX_WORDS)
    throw new ParseError("TOO_LARGE", "command line", { offset: at, expected: `at most ${MAX_WORDS} words` });
}

/** The offset in bytes of a place in text. */
export const byteOffset = (text: string, at: number): number => utf8(text.slice(0, at)).length;

/** Words that were given one by one. */
export function exactWords(words: readonly string[]): readonly Word[] {
  checkCount(words.length, 0);
  let at = 0;
  return words.map((text) => {
    checkLength(text, "word", MAX_WORD, at);
    if (text.includes("\0"))
      throw new ParseError("BAD_ENCODING", "word", { offset: at, found: "a NUL byte" });
    const word = { text, at };
    at += text.length + 1;
    return word;
  });
}

/** The words of /proc/PID/cmdline: each ends with a NUL byte. */
export function cmdlineWords(text: string): readonly Word[] {
  checkLength(text, "command line", MAX_COMMAND_LINE);
  const words = text.split("\0");
  if (words.at(-1) === "") words.pop();
  return exactWords(words);
}
