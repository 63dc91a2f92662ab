/**
 * A bounds-checked cursor over untrusted bytes. Every read names its field, so that an error says what was
 * being read, where, how many bytes it needs and how many there are.
 * @module
 */
import { ParseError } from "./parse-error.ts";

/** Reads integers and ranges from `bytes`, front to back; throws {@link ParseError} instead of reading past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #base: number;
  #position = 0;

  /** `base` is the offset of `bytes` in the whole input, added to the offsets that errors report. */
  constructor(bytes: Uint8Array, base = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
  }

  /** Offset of the next read, in the whole input. */
  get offset(): number {
    return this.#base + this.#position;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** The next `length` bytes as a view (not a copy). */
  bytes(length: number, field: string): Uint8Array {
    const start = this.#take(length, field);
    return this.#bytes.subarray(start, start + length);
  }

  /** Skips `length` bytes that the caller need not look at. */
  skip(length: number, field: string): void {
    this.#take(length, field);
  }

  /** Reads `length` bytes that must all be zero. */
  zeros(length: number, field: string): void {
    const start = this.#take(length, field);
    for (let index = start; index < start + length; index++) {
      const byte = this.#bytes[index];
      if (byte !== 0)
        throw new ParseError("NOT_ZERO", field, {
          offset: this.#base + index,
          expected: "0x00",
          found: `0x${(byte ?? 0).toString(16).padStart(2, "0")}`,
        });
    }
  }

  /** An unsigned byte. */
  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  /** A little-endian unsigned 16-bit integer. */
  u16le(field: string): number {
    return this.#view.getUint16(this.#take(2, field), true);
  }

  /** A big-endian unsigned 16-bit integer. */
  u16be(field: string): number {
    return this.#view.getUint16(this.#take(2, field), false);
  }

  /** A little-endian unsigned 32-bit integer. */
  u32le(field: string): number {
    return this.#view.getUint32(this.#take(4, field), true);
  }

  /** A big-endian unsigned 32-bit integer. */
  u32be(field: string): number {
    return this.#view.getUint32(this.#take(4, field), false);
  }

  /** A little-endian unsigned 64-bit integer. */
  u64le(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), true);
  }

  /** A big-endian unsigned 64-bit integer. */
  u64be(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), false);
  }

  /** Demands that everything was read. */
  end(field: string): void {
    if (this.remaining > 0)
      throw new ParseError("TRAILING", field, {
        offset: this.offset,
        expected: "end of input",
        found: `${this.remaining} more bytes`,
      });
  }

  #take(length: number, field: string): number {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new RangeError(`length of ${field} must be a whole number, not ${length}`);
    if (length > this.remaining)
      throw new ParseError("TRUNCATED", field, {
        offset: this.offset,
        expected: `${length} bytes`,
        found: `${this.remaining}`,
      });
    const start = this.#position;
    this.#position += length;
    return start;
  }
}
