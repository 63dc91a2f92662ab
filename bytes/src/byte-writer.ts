/**
 * Builds byte strings front to back: the mirror of {@link ByteReader}.
 * @module
 */

/** Appends integers and ranges; {@link ByteWriter.finish} returns one array of exactly what was written. */
export class ByteWriter {
  #buffer: Uint8Array;
  #view: DataView;
  #length = 0;

  /** `capacity` is a first guess in bytes; the buffer doubles when it is too small. */
  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(Math.max(capacity, 16));
    this.#view = new DataView(this.#buffer.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends `bytes`. */
  bytes(bytes: Uint8Array): this {
    const start = this.#grow(bytes.length);
    this.#buffer.set(bytes, start);
    return this;
  }

  /** Appends `count` zero bytes. */
  zeros(count: number): this {
    this.#grow(count);
    return this;
  }

  /** Appends an unsigned byte. */
  u8(value: number): this {
    const start = this.#reserve(1, value, 0xff);
    this.#view.setUint8(start, value);
    return this;
  }

  /** Appends a little-endian unsigned 16-bit integer. */
  u16le(value: number): this {
    const start = this.#reserve(2, value, 0xffff);
    this.#view.setUint16(start, value, true);
    return this;
  }

  /** Appends a big-endian unsigned 16-bit integer. */
  u16be(value: number): this {
    const start = this.#reserve(2, value, 0xffff);
    this.#view.setUint16(start, value, false);
    return this;
  }

  /** Appends a little-endian unsigned 32-bit integer. */
  u32le(value: number): this {
    const start = this.#reserve(4, value, 0xffff_ffff);
    this.#view.setUint32(start, value, true);
    return this;
  }

  /** Appends a big-endian unsigned 32-bit integer. */
  u32be(value: number): this {
    const start = this.#reserve(4, value, 0xffff_ffff);
    this.#view.setUint32(start, value, false);
    return this;
  }

  /** Appends a little-endian unsigned 64-bit integer. */
  u64le(value: bigint): this {
    const start = this.#reserve(8, value, 0xffff_ffff_ffff_ffffn);
    this.#view.setBigUint64(start, value, true);
    return this;
  }

  /** Appends a big-endian unsigned 64-bit integer. */
  u64be(value: bigint): this {
    const start = this.#reserve(8, value, 0xffff_ffff_ffff_ffffn);
    this.#view.setBigUint64(start, value, false);
    return this;
  }

  /** A copy of everything written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  /** Makes room first: growing replaces the view, so callers read `#view` only afterwards. */
  #reserve(size: number, value: number | bigint, max: number | bigint): number {
    const whole = typeof value === "bigint" || Number.isInteger(value);
    if (!whole || value < 0 || value > max)
      throw new RangeError(`${value} does not fit an unsigned ${size * 8}-bit integer`);
    return this.#grow(size);
  }

  #grow(size: number): number {
    const start = this.#length;
    if (start + size > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#buffer.length * 2, start + size));
      larger.set(this.#buffer.subarray(0, start));
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length += size;
    return start;
  }
}
