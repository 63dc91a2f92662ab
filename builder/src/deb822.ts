/**
 * Debian control data: paragraphs of `Field: value` lines (deb822(5)), read line by line from bytes
 * as they come, so that an index of 60 MB needs the memory of one paragraph.
 * @module
 */
import { ParseError, parseUtf8, quote } from "@bootproof/bytes";

/** A paragraph's fields by name as written; continuation lines are joined by line breaks, without their indent. */
export type Paragraph = ReadonlyMap<string, string>;

// No line of the archive's indexes comes near (the longest Provides is 60 KB); a hostile one ends here.
const MAX_LINE = 1_048_576;
const MAX_PARAGRAPH = 4_194_304;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const HASH = 0x23;

/**
 * Reads paragraphs from pieces of a file; with `wanted`, only those fields are kept, the others are
 * skipped without being decoded. Throws {@link ParseError}.
 */
export async function* readDeb822(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  wanted?: readonly string[],
): AsyncGenerator<Paragraph> {
  const reader = new ParagraphReader(wanted);
  let rest: Uint8Array = new Uint8Array();
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const paragraph = reader.line(bytes, start, end);
      if (paragraph !== undefined) yield paragraph;
      start = end + 1;
    }
    // Copied: what remains must not keep the whole piece alive.
    rest = new Uint8Array(bytes.subarray(start));
    if (rest.length > MAX_LINE) throw tooLong(reader.offset);
  }
  if (rest.length > 0)
    throw new ParseError("TRUNCATED", "control data", {
      offset: reader.offset,
      expected: "a line break at the end",
    });
  const last = reader.end();
  if (last !== undefined) yield last;
}

/** Reads a text of exactly one paragraph; throws {@link ParseError}. */
export async function readDeb822Paragraph(bytes: Uint8Array, field: string): Promise<Paragraph> {
  const paragraphs: Paragraph[] = [];
  for await (const paragraph of readDeb822([bytes])) paragraphs.push(paragraph);
  const [first, second] = paragraphs;
  if (first === undefined) throw new ParseError("MISSING", field, { expected: "a paragraph" });
  if (second !== undefined)
    throw new ParseError("TRAILING", field, { expected: "one paragraph", found: `${paragraphs.length}` });
  return first;
}

class ParagraphReader {
  offset = 0;
  #fields = new Map<string, string>();
  #seen = new Set<string>();
  #size = 0;
  #field: string | undefined;
  #kept = false;
  readonly #wanted: ReadonlySet<string> | undefined;

  constructor(wanted: readonly string[] | undefined) {
    this.#wanted = wanted === undefined ? undefined : new Set(wanted.map((name) => name.toLowerCase()));
  }

  /** Takes the line `bytes[start, end)`; returns the paragraph that an empty line ends. */
  line(bytes: Uint8Array, start: number, end: number): Paragraph | undefined {
    const first = bytes[start];
    const length = end - start;
    if (length > MAX_LINE) throw tooLong(this.offset);
    const paragraph = length === 0 ? this.end() : undefined;
    if (length > 0) {
      this.#size += length;
      if (this.#size > MAX_PARAGRAPH)
        throw new ParseError("TOO_LARGE", "control paragraph", { offset: this.offset });
      if (first === SPACE || first === TAB) this.#continuation(bytes, start, end);
      else if (first !== HASH) this.#fieldLine(bytes, start, end);
    }
    this.offset += length + 1;
    return paragraph;
  }

  /** The paragraph read so far, if it has a field. */
  end(): Paragraph | undefined {
    const fields = this.#fields;
    const any = this.#seen.size > 0;
    this.#fields = new Map();
    this.#seen = new Set();
    this.#size = 0;
    this.#field = undefined;
    return any ? fields : undefined;
  }

  #continuation(bytes: Uint8Array, start: number, end: number): void {
    if (this.#field === undefined)
      throw new ParseError("BAD_ENCODING", "control data", {
        offset: this.offset,
        expected: "a field",
        found: "a continuation line",
      });
    if (!this.#kept) return;
    const text = this.#decode(bytes, start + 1, end).trim();
    this.#fields.set(this.#field, `${this.#fields.get(this.#field) ?? ""}\n${text}`);
  }

  #fieldLine(bytes: Uint8Array, start: number, end: number): void {
    const colon = bytes.indexOf(COLON, start);
    const name = colon === -1 || colon >= end ? "" : latin1(bytes, start, colon);
    if (!/^[!"$-,.-9;-~][!-9;-~]{0,99}$/.test(name))
      throw new ParseError("BAD_ENCODING", "control data", {
        offset: this.offset,
        expected: "a field name and a colon",
        found: quote(latin1(bytes, start, Math.min(end, start + 60))),
      });
    const key = name.toLowerCase();
    if (this.#seen.has(key))
      throw new ParseError("DUPLICATE", `control field ${name}`, { offset: this.offset });
    this.#seen.add(key);
    this.#field = name;
    this.#kept = this.#wanted?.has(key) ?? true;
    if (this.#kept) this.#fields.set(name, this.#decode(bytes, colon + 1, end).trim());
  }

  #decode(bytes: Uint8Array, start: number, end: number): string {
    return parseUtf8(bytes.subarray(start, end), "control data");
  }
}

/** A million names an index: this is what makes them cheap. */
const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");

const tooLong = (offset: number): ParseError =>
  new ParseError("TOO_LARGE", "control line", { offset, expected: `at most ${MAX_LINE} bytes` });
