/**
 * Writes Protocol Buffers messages in canonical form: fields in ascending order, defaults left out, no unknown
 * fields, so that equal messages have equal bytes. Only what the Remote Execution API messages need.
 * @module
 */
import { ByteWriter, utf8 } from "@bootproof/bytes";

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Collects the fields of one message; each field number must be at least the one before. */
export class MessageWriter {
  readonly #writer = new ByteWriter();
  #last = 0;

  /** A string; "" is the default and is left out. */
  string(field: number, value: string): this {
    return value === "" ? this : this.#delimited(field, utf8(value));
  }

  /** Every string of a repeated field, empty ones too. */
  strings(field: number, values: readonly string[]): this {
    for (const value of values) this.#delimited(field, utf8(value));
    return this;
  }

  /** An embedded message, present even when it is empty. */
  message(field: number, value: Uint8Array): this {
    return this.#delimited(field, value);
  }

  /** A non-negative int64; 0 is the default and is left out. */
  integer(field: number, value: number): this {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`field ${field} must be a whole number, not ${value}`);
    if (value === 0) return this;
    this.#key(field, VARINT);
    this.#varint(BigInt(value));
    return this;
  }

  /** A bool; false is the default and is left out. */
  boolean(field: number, value: boolean): this {
    return this.integer(field, value ? 1 : 0);
  }

  /** The message's bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#writer.finish();
  }

  #delimited(field: number, bytes: Uint8Array): this {
    this.#key(field, LENGTH_DELIMITED);
    this.#varint(BigInt(bytes.length));
    this.#writer.bytes(bytes);
    return this;
  }

  #key(field: number, wireType: number): void {
    if (field < this.#last) throw new RangeError(`field ${field} comes after field ${this.#last}`);
    this.#last = field;
    this.#varint(BigInt(field * 8 + wireType));
  }

  #varint(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#writer.u8(Number(rest & 0x7fn) | 0x80);
    this.#writer.u8(Number(rest));
  }
}
