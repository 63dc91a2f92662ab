/**
 * The body of one IGVM variable header, with what the readers of bodies need: its place, the file's data, and the
 * errors that name it.
 * @module
 */
import { type ByteReader, ParseError } from "@bootproof/bytes";
import type { IgvmHeaderPlace } from "./igvm-file.ts";

const PAGE_SIZE = 4096;

/** One header on its way from bytes to a value. Reads on in the reader of all headers: a file has thousands. */
export class HeaderBody {
  readonly place: IgvmHeaderPlace;
  readonly name: string;
  readonly #reader: ByteReader;
  readonly #file: Uint8Array;
  readonly #dataStart: number;

  constructor(place: IgvmHeaderPlace, name: string, reader: ByteReader, file: Uint8Array, dataStart: number) {
    this.place = place;
    this.name = name;
    this.#reader = reader;
    this.#file = file;
    this.#dataStart = dataStart;
  }

  /** `guest address of IGVM header 4 (PAGE_DATA)`. */
  field(what: string): string {
    return `${what} of IGVM header ${this.place.index} (${this.name})`;
  }

  u8(what: string): number {
    return this.#reader.u8(this.field(what));
  }

  u16(what: string): number {
    return this.#reader.u16le(this.field(what));
  }

  u32(what: string): number {
    return this.#reader.u32le(this.field(what));
  }

  u64(what: string): bigint {
    return this.#reader.u64le(this.field(what));
  }

  bytes(length: number, what: string): Uint8Array {
    return this.#reader.bytes(length, this.field(what));
  }

  zeros(length: number, what = "reserved field"): void {
    this.#reader.zeros(length, this.field(what));
  }

  /** A guest address on a page boundary. */
  guestAddress(): bigint {
    const address = this.u64("guest address");
    if (address % BigInt(PAGE_SIZE) !== 0n)
      throw this.fault("guest address", "a multiple of 0x1000", `0x${address.toString(16)}`);
    return address;
  }

  /** A 32-bit size in whole pages. */
  pages(what: string, size: bigint): bigint {
    if (size % BigInt(PAGE_SIZE) !== 0n)
      throw this.fault(what, "a multiple of 0x1000", `0x${size.toString(16)}`);
    return size;
  }

  /** The error that a field of this header is out of range. */
  fault(what: string, expected: string, found: string): ParseError {
    return new ParseError("OUT_OF_RANGE", this.field(what), { offset: this.place.offset, expected, found });
  }

  /** File data of `least` to `most` bytes, as much as there is. */
  data(fileOffset: number, least: number, most: number): Uint8Array {
    if (fileOffset < this.#dataStart)
      throw this.fault("file offset", `at least ${this.#dataStart}, behind the headers`, `${fileOffset}`);
    if (fileOffset + least > this.#file.length)
      throw this.fault(
        "end of file data",
        `at most ${this.#file.length}, the end of the file`,
        `${fileOffset + least}`,
      );
    return this.#file.subarray(fileOffset, Math.min(fileOffset + most, this.#file.length));
  }
}
