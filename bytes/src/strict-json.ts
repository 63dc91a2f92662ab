/**
 * JSON that has one reading (RFC 8259 with the restrictions of RFC 7493, I-JSON): one document, no duplicate keys, no
 * lone surrogates, no integer that a double would round, limited depth and size. JSON.parse keeps the last of two equal
 * keys, others keep the first: a signed document must not mean two things.
 * @module
 */
import { quote } from "./hex.ts";
import { ParseError } from "./parse-error.ts";
import { parseUtf8, utf8 } from "./utf8.ts";

/** Any JSON value. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Nothing we read nests deeper than a dozen levels; a parser's stack must not depend on its input. */
const MAX_DEPTH = 32;
const DEFAULT_MAX_BYTES = 64 * 1024;

/** Reads one JSON document of at most `maxBytes`; throws {@link ParseError}. */
export function parseStrictJson(
  bytes: Uint8Array,
  field: string,
  maxBytes: number = DEFAULT_MAX_BYTES,
): JsonValue {
  return readerOf(bytes, field, maxBytes).document();
}

/** Where members stand: for each object and list, by key or index, as an index into the text. */
export type JsonPlaces = ReadonlyMap<object, ReadonlyMap<string, number>>;

/** Like {@link parseStrictJson}, and says where each member stands, for messages that point at it. */
export function parseLocatedJson(
  bytes: Uint8Array,
  field: string,
  maxBytes: number = DEFAULT_MAX_BYTES,
): { readonly value: JsonValue; readonly places: JsonPlaces } {
  const places = new Map<object, ReadonlyMap<string, number>>();
  return { value: readerOf(bytes, field, maxBytes, places).document(), places };
}

function readerOf(
  bytes: Uint8Array,
  field: string,
  maxBytes: number,
  places?: Map<object, ReadonlyMap<string, number>>,
): JsonReader {
  if (bytes.length > maxBytes)
    throw new ParseError("TOO_LARGE", field, {
      expected: `at most ${maxBytes} bytes`,
      found: `${bytes.length}`,
    });
  return new JsonReader(parseUtf8(bytes, field), field, places);
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// RFC 8259 section 7: control characters must be escaped.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Whether a double holds the number without rounding away whole units: finite, and no integer beyond 2^53. */
export const isExact = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));

class JsonReader {
  readonly #text: string;
  readonly #field: string;
  readonly #places: Map<object, ReadonlyMap<string, number>> | undefined;
  #at = 0;

  constructor(text: string, field: string, places?: Map<object, ReadonlyMap<string, number>>) {
    this.#text = text;
    this.#field = field;
    this.#places = places;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#error("TRAILING", "the end of the document");
    return value;
  }

  #value(depth: number): JsonValue {
    this.#space();
    if (depth > MAX_DEPTH) throw this.#error("TOO_LARGE", `at most ${MAX_DEPTH} levels`);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      case undefined:
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonValue {
    const entries = new Map<string, JsonValue>();
    const starts = new Map<string, number>();
    this.#list("}", () => {
      this.#space();
      const start = this.#at;
      const key = this.#string();
      if (entries.has(key)) throw this.#error("DUPLICATE", `key ${quote(key)} once`, start);
      this.#space();
      this.#word(":", undefined);
      if (this.#places !== undefined) starts.set(key, start);
      entries.set(key, this.#value(depth + 1));
    });
    // fromEntries defines each key as the object's own, `__proto__` too.
    const object: JsonValue = Object.fromEntries(entries);
    this.#places?.set(object, starts);
    return object;
  }

  #array(depth: number): JsonValue {
    const values: JsonValue[] = [];
    const starts = new Map<string, number>();
    this.#list("]", () => {
      this.#space();
      if (this.#places !== undefined) starts.set(String(values.length), this.#at);
      values.push(this.#value(depth + 1));
    });
    this.#places?.set(values, starts);
    return values;
  }

  /** Reads `item`s between the bracket at the cursor and `close`, with commas between them. */
  #list(close: string, item: () => void): void {
    this.#at++;
    this.#space();
    if (this.#take(close)) return;
    do item();
    while ((this.#space(), this.#take(",")));
    if (!this.#take(close)) throw this.#error("BAD_ENCODING", `"," or "${close}"`);
  }

  #string(): string {
    const start = this.#at;
    if (!this.#take('"')) throw this.#error("BAD_ENCODING", "a string");
    let value = "";
    for (;;) {
      value += this.#match(PLAIN) ?? "";
      if (this.#take('"')) break;
      if (!this.#take("\\")) throw this.#error("BAD_ENCODING", "the rest of a string");
      value += this.#escape();
    }
    if (!value.isWellFormed()) throw this.#error("BAD_ENCODING", "surrogates in pairs", start);
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? "";
    const plain = ESCAPES[letter];
    if (plain !== undefined) return plain;
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (letter !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits))
      throw this.#error("BAD_ENCODING", "an escape", this.#at - 1);
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): number {
    const start = this.#at;
    const text = this.#match(NUMBER);
    if (text === undefined || text === "") throw this.#error("BAD_ENCODING", "a JSON value");
    const value = Number(text);
    if (!isExact(value)) throw this.#error("OUT_OF_RANGE", "a number that a double holds exactly", start);
    return value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#take(word)) throw this.#error("BAD_ENCODING", word === ":" ? '":"' : "a JSON value");
    return value;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #error(code: ParseError["code"], expected: string, at: number = this.#at): ParseError {
    const offset = utf8(this.#text.slice(0, at)).length;
    const rest = this.#text.slice(at, at + 20);
    return new ParseError(code, this.#field, {
      offset,
      expected,
      found: rest === "" ? "the end" : quote(rest),
    });
  }
}
