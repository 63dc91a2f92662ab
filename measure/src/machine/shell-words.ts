/**
 * Splits shell text into commands and words: POSIX quoting (XCU 2.2), comments, line continuations, control
 * operators, redirections. Nothing is expanded; a word in which a shell would expand something says so.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

import { byteOffset, checkCount, checkLength, MAX_COMMAND_LINE, MAX_WORD, type Word } from "./words.ts";

/** The words of one command. */
export type Command = readonly Word[];

/** The commands of a text, in order; throws {@link ParseError} for an open quote or too much text. */
export function shellCommands(text: string): readonly Command[] {
  checkLength(text, "command line", MAX_COMMAND_LINE);
  return new ShellReader(text).commands();
}

const OPERATORS = ";&|()\n";
/** After `$` outside single quotes, these begin an expansion. */
const EXPANDS = /[A-Za-z0-9_{(@*#?$!'"-]/;
/** In double quotes, `$"` and `$'` are no expansions. */
const EXPANDS_QUOTED = /[A-Za-z0-9_{(@*#?$!-]/;

class ShellReader {
  readonly #text: string;
  #at = 0;
  #commands: Command[] = [];
  #words: Word[] = [];
  #count = 0;
  /** The word being read; undefined between words. */
  #word: string | undefined;
  #wordAt = 0;
  #expansion: Word["expansion"];
  /** The next word names the file of a redirection. */
  #redirected = false;

  constructor(text: string) {
    this.#text = text;
  }

  commands(): readonly Command[] {
    while (this.#at < this.#text.length) this.#step();
    this.#endCommand();
    return this.#commands;
  }

  #step(): void {
    const char = this.#text.charAt(this.#at);
    if (char === "'") this.#singleQuoted();
    else if (char === '"') this.#doubleQuoted();
    else if (char === "\\") this.#escaped();
    else if (char === "#" && this.#word === undefined) this.#comment();
    else if (char === "<" || char === ">" || (char === "&" && this.#peek(1) === ">")) this.#redirection();
    else if (char === " " || char === "\t" || char === "\r") this.#blank();
    else if (OPERATORS.includes(char)) this.#operator();
    else this.#plain(char);
  }

  #peek(ahead: number): string {
    return this.#text.charAt(this.#at + ahead);
  }

  #begin(): void {
    if (this.#word !== undefined) return;
    this.#word = "";
    this.#wordAt = this.#at;
  }

  #append(text: string): void {
    this.#word = (this.#word ?? "") + text;
    checkLength(this.#word, "word", MAX_WORD, this.#wordAt);
  }

  #singleQuoted(): void {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw this.#open("single quote");
    this.#begin();
    this.#append(this.#text.slice(this.#at + 1, end));
    this.#at = end + 1;
  }

  #doubleQuoted(): void {
    const start = this.#at;
    this.#begin();
    this.#at++;
    let from = this.#at;
    for (;;) {
      if (this.#at >= this.#text.length) {
        this.#at = start;
        throw this.#open("double quote");
      }
      const char = this.#text.charAt(this.#at);
      if (char === '"') break;
      if (char === "\\") {
        this.#append(this.#text.slice(from, this.#at));
        this.#escapedInQuotes();
        from = this.#at;
        continue;
      }
      if (char === "`" || (char === "$" && EXPANDS_QUOTED.test(this.#peek(1)))) this.#expands();
      this.#at++;
    }
    this.#append(this.#text.slice(from, this.#at));
    this.#at++;
  }

  /** In double quotes a backslash is special before these four and a line's end only. */
  #escapedInQuotes(): void {
    const next = this.#peek(1);
    if (next === "\n") this.#at += 2;
    else if (next === "\r" && this.#peek(2) === "\n") this.#at += 3;
    else {
      this.#append('$`"\\'.includes(next) ? next : `\\${next}`);
      this.#at += 2;
    }
  }

  #escaped(): void {
    const next = this.#peek(1);
    if (next === "\n") this.#at += 2;
    else if (next === "\r" && this.#peek(2) === "\n") this.#at += 3;
    else if (next === "") throw this.#open("backslash");
    else {
      this.#begin();
      this.#append(next);
      this.#at += 2;
    }
  }

  #comment(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  /** Redirections are no words of the command: an operator, perhaps with a number before it, and a file after it. */
  #redirection(): void {
    if (this.#word !== undefined && /^[0-9]+$/.test(this.#word)) this.#word = undefined;
    this.#endWord();
    if (this.#peek(1) === "(") {
      this.#begin();
      this.#expands();
    }
    this.#at++;
    while ("<>&|-".includes(this.#peek(0)) && this.#peek(0) !== "") this.#at++;
    this.#redirected = this.#word === undefined;
  }

  #blank(): void {
    this.#endWord();
    this.#at++;
  }

  #operator(): void {
    this.#endCommand();
    this.#at++;
  }

  #plain(char: string): void {
    const starts = this.#word === undefined;
    this.#begin();
    if (char === "`" || (char === "$" && EXPANDS.test(this.#peek(1))) || (char === "~" && starts))
      this.#expands();
    if (char === "$" && this.#peek(1) === "(") {
      // Keep the parenthesis in the word; what it holds is never looked at.
      this.#append("$(");
      this.#at += 2;
      return;
    }
    this.#append(char);
    this.#at++;
  }

  #expands(): void {
    if (this.#expansion !== undefined) return;
    const what = /^(?:\$\{?[A-Za-z_0-9]+\}?|[<>$]\(|[\s\S])/.exec(
      this.#text.slice(this.#at, this.#at + 40),
    )?.[0];
    this.#expansion = { what: what ?? "", at: this.#at };
  }

  #endWord(): void {
    if (this.#word === undefined) return;
    const expansion = this.#expansion;
    if (!this.#redirected) {
      checkCount(++this.#count, this.#wordAt);
      this.#words.push({ text: this.#word, at: this.#wordAt, ...(expansion !== undefined && { expansion }) });
    }
    this.#redirected = false;
    this.#word = undefined;
    this.#expansion = undefined;
  }

  #endCommand(): void {
    this.#endWord();
    this.#redirected = false;
    if (this.#words.length > 0) this.#commands.push(this.#words);
    this.#words = [];
  }

  #open(what: string): ParseError {
    return new ParseError("TRUNCATED", what, {
      offset: byteOffset(this.#text, this.#at),
      expected: what === "backslash" ? "a character after it" : "its end",
    });
  }
}
