/**
 * CBOR (RFC 8949) that has one reading: definite lengths, shortest heads, no key twice, nothing behind the value; no
 * floats, and no simple values but false, true and null. Signed structures (COSE, attestation documents) consist of
 * just this. Our own, as the libraries at hand recurse as deep as their input asks, and hide tags.
 * @module
 */
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ParseError } from "./parse-error.ts";
import { parseUtf8, utf8 } from "./utf8.ts";

/** What a map may be keyed by. */
export type CborKey = number | bigint | string;

/** A map; its order is that of the bytes. */
export type CborMap = ReadonlyMap<CborKey, CborValue>;

/** A value with a tag on it. */
export interface CborTag {
  readonly tag: number;
  readonly value: CborValue;
}

/** Any value. Integers are numbers while these are exact, and bigints beyond. */
export type CborValue = CborKey | boolean | null | Uint8Array | readonly CborValue[] | CborMap | CborTag;

/** Limits, and what to take besides the one spelling. */
export interface CborOptions {
  /** Levels of arrays, maps and tags; 16 unless told. */
  readonly maxDepth?: number | undefined;
  /** Values in all; 65536 unless told. */
  readonly maxItems?: number | undefined;
  /** Also takes longer heads than needed, and indefinite lengths. */
  readonly lenient?: boolean | undefined;
}

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

const INDEFINITE = 31;
const BREAK = 0xff;

/** Reads one value of at most the given depth and count; throws {@link ParseError}. */
export function parseStrictCbor(bytes: Uint8Array, field: string, options: CborOptions = {}): CborValue {
  return new CborReader(bytes, field, options).document();
}

/** Whether a value is a map. */
export const isCborMap = (value: CborValue | undefined): value is CborMap => value instanceof Map;

/** Whether a value is an array. */
export const isCborArray = (value: CborValue | undefined): value is readonly CborValue[] =>
  Array.isArray(value);

/** Whether a value has a tag on it. */
export const isCborTag = (value: CborValue | undefined): value is CborTag =>
  typeof value === "object" && value !== null && "tag" in value;

interface Head {
  readonly major: number;
  /** Undefined for an indefinite length. */
  readonly argument: bigint | undefined;
  readonly offset: number;
}

class CborReader {
  readonly #bytes: Uint8Array;
  readonly #reader: ByteReader;
  readonly #field: string;
  readonly #maxDepth: number;
  readonly #lenient: boolean;
  #itemsLeft: number;

  constructor(
    bytes: Uint8Array,
    field: string,
    { maxDepth = 16, maxItems = 65_536, lenient = false }: CborOptions,
  ) {
    this.#bytes = bytes;
    this.#reader = new ByteReader(bytes);
    this.#field = field;
    this.#maxDepth = maxDepth;
    this.#itemsLeft = maxItems;
    this.#lenient = lenient;
  }

  document(): CborValue {
    const value = this.#value(0);
    this.#reader.end(this.#field);
    return value;
  }

  #value(depth: number): CborValue {
    const head = this.#head();
    if (depth > this.#maxDepth)
      throw this.#error("TOO_LARGE", head.offset, `at most ${this.#maxDepth} levels`);
    if (this.#itemsLeft-- <= 0) throw this.#error("TOO_LARGE", head.offset, "fewer values");
    const { major, argument } = head;
    switch (major) {
      case UNSIGNED:
        return exact(this.#definite(head));
      case NEGATIVE:
        return exact(-1n - this.#definite(head));
      case BYTES:
        return this.#string(head);
      case TEXT:
        return argument === undefined ? this.#chunkedText(head) : parseUtf8(this.#string(head), this.#field);
      case ARRAY:
        return this.#array(head, depth);
      case MAP:
        return this.#map(head, depth);
      case TAG:
        return { tag: this.#tagNumber(head), value: this.#value(depth + 1) };
      default:
        return this.#simple(head);
    }
  }

  #head(): Head {
    const offset = this.#reader.offset;
    const initial = this.#reader.u8(this.#field);
    const major = initial >> 5;
    const additional = initial & 0x1f;
    if (additional < 24) return { major, argument: BigInt(additional), offset };
    if (additional === INDEFINITE && this.#lenient && major >= BYTES && major <= MAP)
      return { major, argument: undefined, offset };
    if (additional > 27) throw this.#error("NOT_CANONICAL", offset, "a definite length", hex(initial));
    const size = 1 << (additional - 24);
    const argument = this.#reader
      .bytes(size, this.#field)
      .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
    // One byte must say 24 or more, two 256 or more, and so on.
    const least = size === 1 ? 24n : 1n << BigInt(4 * size);
    if (argument < least && !this.#lenient && major !== SIMPLE)
      throw this.#error("NOT_CANONICAL", offset, "the shortest head", `${argument} in ${size} bytes`);
    return { major, argument: major === SIMPLE ? BigInt(additional) << 8n : argument, offset };
  }

  #definite({ argument, offset }: Head): bigint {
    if (argument === undefined) throw this.#error("NOT_CANONICAL", offset, "a definite length");
    return argument;
  }

  #tagNumber(head: Head): number {
    const tag = this.#definite(head);
    if (tag > Number.MAX_SAFE_INTEGER)
      throw this.#error("OUT_OF_RANGE", head.offset, "a smaller tag", `${tag}`);
    return Number(tag);
  }

  /** A length or count, which the bytes that are left must have room for: each item takes one at least. */
  #count(head: Head): number {
    const count = this.#definite(head);
    if (count > this.#reader.remaining)
      throw this.#error("TRUNCATED", head.offset, `${count} more`, `${this.#reader.remaining} bytes`);
    return Number(count);
  }

  #string(head: Head): Uint8Array {
    if (head.argument !== undefined) return this.#reader.bytes(this.#count(head), this.#field);
    const writer = new ByteWriter();
    for (const chunk of this.#chunks(head)) writer.bytes(chunk);
    return writer.finish();
  }

  #chunkedText(head: Head): string {
    // Each chunk must be UTF-8 by itself.
    return Array.from(this.#chunks(head), (chunk) => parseUtf8(chunk, this.#field)).join("");
  }

  *#chunks({ major }: Head): Generator<Uint8Array> {
    while (!this.#break()) {
      const head = this.#head();
      if (head.major !== major || head.argument === undefined)
        throw this.#error("BAD_ENCODING", head.offset, "a chunk of the same kind");
      yield this.#reader.bytes(this.#count(head), this.#field);
    }
  }

  #array(head: Head, depth: number): CborValue[] {
    const values: CborValue[] = [];
    const count = head.argument === undefined ? undefined : this.#count(head);
    while (count === undefined ? !this.#break() : values.length < count) values.push(this.#value(depth + 1));
    return values;
  }

  #map(head: Head, depth: number): CborMap {
    const map = new Map<CborKey, CborValue>();
    const count = head.argument === undefined ? undefined : this.#count(head);
    while (count === undefined ? !this.#break() : map.size < count) {
      const offset = this.#reader.offset;
      const key = this.#value(depth + 1);
      if (typeof key !== "number" && typeof key !== "bigint" && typeof key !== "string")
        throw this.#error("UNSUPPORTED", offset, "an integer or a text as key");
      if (map.has(key)) throw this.#error("DUPLICATE", offset, `key ${String(key)} once`);
      map.set(key, this.#value(depth + 1));
    }
    return map;
  }

  #simple({ argument, offset }: Head): CborValue {
    if (argument === 20n) return false;
    if (argument === 21n) return true;
    if (argument === 22n) return null;
    throw this.#error("UNSUPPORTED", offset, "false, true or null", "a float or another simple value");
  }

  #break(): boolean {
    if (this.#bytes[this.#reader.offset] !== BREAK) return false;
    this.#reader.skip(1, this.#field);
    return true;
  }

  #error(code: ParseError["code"], offset: number, expected: string, found?: string): ParseError {
    return new ParseError(
      code,
      this.#field,
      found === undefined ? { offset, expected } : { offset, expected, found },
    );
  }
}

const exact = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`;

/** The one spelling of a value; maps keep their order. Throws RangeError for numbers that CBOR's integers are not. */
export function encodeCbor(value: CborValue): Uint8Array {
  const writer = new ByteWriter();
  write(writer, value);
  return writer.finish();
}

function write(writer: ByteWriter, value: CborValue): void {
  if (typeof value === "number" || typeof value === "bigint") writeInteger(writer, value);
  else if (typeof value === "string") writeString(writer, TEXT, utf8(value));
  else if (value instanceof Uint8Array) writeString(writer, BYTES, value);
  else if (typeof value === "boolean") writer.u8(value ? 0xf5 : 0xf4);
  else if (value === null) writer.u8(0xf6);
  else if (isCborArray(value)) {
    writeHead(writer, ARRAY, BigInt(value.length));
    for (const item of value) write(writer, item);
  } else if (isCborMap(value)) {
    writeHead(writer, MAP, BigInt(value.size));
    for (const [key, item] of value) {
      write(writer, key);
      write(writer, item);
    }
  } else if (isCborTag(value)) {
    writeHead(writer, TAG, BigInt(value.tag));
    write(writer, value.value);
  }
}

function writeInteger(writer: ByteWriter, value: number | bigint): void {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new RangeError(`${value} is no exact integer`);
  const integer = BigInt(value);
  if (integer >= 0n) writeHead(writer, UNSIGNED, integer);
  else writeHead(writer, NEGATIVE, -1n - integer);
}

function writeString(writer: ByteWriter, major: number, bytes: Uint8Array): void {
  writeHead(writer, major, BigInt(bytes.length));
  writer.bytes(bytes);
}

function writeHead(writer: ByteWriter, major: number, argument: bigint): void {
  const initial = major << 5;
  if (argument < 24n) writer.u8(initial | Number(argument));
  else if (argument < 0x100n) writer.u8(initial | 24).u8(Number(argument));
  else if (argument < 0x1_0000n) writer.u8(initial | 25).u16be(Number(argument));
  else if (argument < 0x1_0000_0000n) writer.u8(initial | 26).u32be(Number(argument));
  else writer.u8(initial | 27).u64be(argument);
}
