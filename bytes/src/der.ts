/**
 * DER (X.690): tag, length, contents, in the one spelling that it leaves. Tags of one byte and lengths of up to four
 * bytes: certificates and signatures need no others.
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { ParseError } from "./parse-error.ts";

/** Tags that certificates and signatures use. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of something whose meaning its place decides: a primitive, or with elements inside. */
export const contextTag = (number: number, kind: "primitive" | "constructed"): number =>
  (kind === "constructed" ? 0xa0 : 0x80) | number;

/** One element. */
export interface DerElement {
  readonly tag: number;
  /** Its contents. */
  readonly body: Uint8Array;
  /** Tag, length and contents. */
  readonly whole: Uint8Array;
  /** Where the contents start in the whole input. */
  readonly offset: number;
}

/** Reads elements one after another; throws {@link ParseError}. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #base: number;
  readonly #reader: ByteReader;

  /** `base` is the offset of `bytes` in the whole input. */
  constructor(bytes: Uint8Array, base = 0) {
    this.#bytes = bytes;
    this.#base = base;
    this.#reader = new ByteReader(bytes, base);
  }

  /** The elements inside of one. */
  static within(element: DerElement): DerReader {
    return new DerReader(element.body, element.offset);
  }

  /** Whether the next element has this tag. */
  next(tag: number): boolean {
    return this.#bytes[this.#reader.offset - this.#base] === tag;
  }

  /** Whether there is a next element. */
  get more(): boolean {
    return this.#reader.remaining > 0;
  }

  /** The next element, whatever it is. */
  any(field: string): DerElement {
    const start = this.#reader.offset;
    const tag = this.#reader.u8(`${field} tag`);
    if ((tag & 0x1f) === 0x1f)
      throw new ParseError("UNSUPPORTED", `${field} tag`, { offset: start, expected: "a tag of one byte" });
    const length = readLength(this.#reader, field);
    const offset = this.#reader.offset;
    const body = this.#reader.bytes(length, field);
    const whole = this.#bytes.subarray(start - this.#base, this.#reader.offset - this.#base);
    return { tag, body, whole, offset };
  }

  /** The next element, which must have this tag. */
  element(tag: number, field: string): DerElement {
    const offset = this.#reader.offset;
    const found = this.#bytes[offset - this.#base];
    if (found !== undefined && found !== tag)
      throw new ParseError("BAD_MAGIC", `${field} tag`, { offset, expected: byte(tag), found: byte(found) });
    return this.any(field);
  }

  /** The elements inside of the next one. */
  inside(tag: number, field: string): DerReader {
    return DerReader.within(this.element(tag, field));
  }

  /** Demands that everything was read. */
  end(field: string): void {
    this.#reader.end(field);
  }

  /** A number of at least 0, big endian, without the zero that keeps it positive; [0] for 0. */
  unsigned(field: string): Uint8Array {
    const { body, offset } = this.element(DER.integer, field);
    const [first = 0x80, second = 0] = body;
    if (first >= 0x80)
      throw new ParseError("OUT_OF_RANGE", field, { offset, expected: "a number of at least zero" });
    if (first === 0 && body.length > 1 && second < 0x80)
      throw new ParseError("NOT_CANONICAL", field, { offset, expected: "no leading zeros" });
    return first === 0 && body.length > 1 ? body.subarray(1) : body;
  }

  /** A string of whole bytes. */
  bitString(field: string): Uint8Array {
    const { body, offset } = this.element(DER.bitString, field);
    if (body[0] !== 0) throw new ParseError("UNSUPPORTED", field, { offset, expected: "whole bytes" });
    return body.subarray(1);
  }
}

function readLength(reader: ByteReader, field: string): number {
  const offset = reader.offset;
  const first = reader.u8(`${field} length`);
  if (first < 0x80) return first;
  const size = first & 0x7f;
  if (size === 0 || size > 4)
    throw new ParseError("NOT_CANONICAL", `${field} length`, {
      offset,
      expected: "at most four bytes",
      found: byte(first),
    });
  const length = reader.bytes(size, `${field} length`).reduce((value, next) => value * 256 + next, 0);
  if (length < 0x80 || length < 256 ** (size - 1))
    throw new ParseError("NOT_CANONICAL", `${field} length`, {
      offset,
      expected: "the shortest length",
      found: `${length} in ${size} bytes`,
    });
  return length;
}

const byte = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;
