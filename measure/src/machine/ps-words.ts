/**
 * Splits a line of `ps`, which prints arguments with spaces between them and no quotes. Two kinds of argument keep
 * their spaces: JSON, by its braces, and the argument of -append, which reaches to the next option of QEMU's.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

import { optionName, takesArgument } from "./qemu-options.ts";
import { shellCommands } from "./shell-words.ts";
import { byteOffset, checkCount, checkLength, MAX_COMMAND_LINE, MAX_WORD, type Word } from "./words.ts";

/**
 * Whether a word begins JSON outside of all quotes. A shell would have eaten the JSON's own quotes, so the text is what
 * ps prints; text that no shell can read at all is taken for it too.
 */
export function looksLikePs(text: string): boolean {
  if (!/(?:^|\s)\{"/.test(text)) return false;
  try {
    return shellCommands(text).some((words) => words.some(({ at }) => text.startsWith('{"', at)));
  } catch (error) {
    if (error instanceof ParseError) return true;
    throw error;
  }
}

/** The words of one line of `ps`; throws {@link ParseError}. */
export function psWords(text: string): readonly Word[] {
  checkLength(text, "command line", MAX_COMMAND_LINE);
  const line = text.replace(/\s+$/, "");
  const words: Word[] = [];
  let at = skipSpaces(line, 0);
  while (at < line.length) {
    checkCount(words.length + 1, at);
    const append = isAppend(words.at(-1));
    const end = append ? endOfAppend(line, at) : endOfWord(line, at);
    const word = line.slice(at, end);
    checkLength(word, "word", MAX_WORD, at);
    words.push({ text: word, at });
    // One space ends the name of -append; what follows it, spaces too, belongs to the argument.
    at = isAppend(words.at(-1)) && !append ? end + 1 : skipSpaces(line, end);
  }
  return words;
}

function skipSpaces(line: string, from: number): number {
  let at = from;
  while (/\s/.test(line.charAt(at))) at++;
  return at;
}

const isAppend = (word: Word | undefined): boolean =>
  word !== undefined && optionName(word.text) === "append";

/** The end of the text before the next word that is an option; one space separates them. */
function endOfAppend(line: string, from: number): number {
  const option = /(?:^| )(--?[A-Za-z][\w-]*)(?= |$)/g;
  option.lastIndex = from;
  for (let match = option.exec(line); match !== null; match = option.exec(line)) {
    const name = optionName(match[1] ?? "");
    if (name !== undefined && takesArgument(name) !== undefined) return Math.max(match.index, from);
  }
  return line.length;
}

function endOfWord(line: string, from: number): number {
  if (line.startsWith('{"', from)) return endOfJson(line, from);
  const space = /\s/g;
  space.lastIndex = from;
  return space.exec(line)?.index ?? line.length;
}

function endOfJson(line: string, from: number): number {
  // An open string reaches to the end, so that no place is read twice.
  const token = /"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|[{}]/g;
  token.lastIndex = from;
  let depth = 0;
  for (let match = token.exec(line); match !== null; match = token.exec(line)) {
    if (match[0] === "{") depth++;
    if (match[0] === "}") depth--;
    if (depth === 0) return token.lastIndex;
  }
  throw new ParseError("TRUNCATED", "JSON argument", {
    offset: byteOffset(line, from),
    expected: "its closing brace",
  });
}
