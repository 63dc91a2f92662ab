import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ParseError } from "./parse-error.ts";

const SIZES = { u8: 1, u16le: 2, u16be: 2, u32le: 4, u32be: 4, u64le: 8, u64be: 8 } as const;
type Kind = keyof typeof SIZES;

const kinds = fc.constantFrom(...(Object.keys(SIZES) as Kind[]));
/** A field of any kind with a value that fits it. */
const field = kinds.chain((kind) => {
  const max = 2n ** BigInt(SIZES[kind] * 8) - 1n;
  return fc.record({ kind: fc.constant(kind), value: fc.bigInt({ min: 0n, max }) });
});

function write(writer: ByteWriter, kind: Kind, value: bigint): void {
  if (kind === "u64le" || kind === "u64be") writer[kind](value);
  else writer[kind](Number(value));
}

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return "read";
};

describe("reading bytes: a hostile length must never reach past the end", () => {
  it("reads back whatever was written, in order, to the last byte", () => {
    fc.assert(
      fc.property(fc.array(field), fc.uint8Array(), fc.nat(40), (fields, tail, gap) => {
        const writer = new ByteWriter(1);
        for (const { kind, value } of fields) write(writer, kind, value);
        const bytes = writer.zeros(gap).bytes(tail).finish();
        expect(bytes).toHaveLength(writer.length);
        const reader = new ByteReader(bytes);
        for (const { kind, value } of fields) expect(BigInt(reader[kind]("field"))).toBe(value);
        reader.zeros(gap, "gap");
        expect(reader.bytes(tail.length, "tail")).toEqual(tail);
        reader.end("tail");
      }),
    );
  });

  it("reads what is there and throws TRUNCATED for the rest, whatever is asked", () => {
    const asked = fc.array(fc.oneof(kinds, fc.nat(20)), { maxLength: 20 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), asked, (bytes, reads) => {
        const reader = new ByteReader(bytes);
        for (const what of reads) {
          const size = typeof what === "number" ? what : SIZES[what];
          const fits = size <= reader.remaining;
          const before = reader.offset;
          const code = codeOf(() =>
            typeof what === "number" ? reader.bytes(what, "range") : reader[what]("field"),
          );
          expect(code).toBe(fits ? "read" : "TRUNCATED");
          expect(reader.offset).toBe(fits ? before + size : before);
        }
      }),
    );
  });

  it("names field, offset, need and have", () => {
    const reader = new ByteReader(new Uint8Array(3), 0x3fd0);
    reader.skip(2, "magic");
    expect(() => reader.u32le("table size")).toThrow(
      "cannot read table size at offset 0x3fd2: expected 4 bytes, found 1",
    );
  });

  it("reads a view of a larger buffer, not what lies around it", () => {
    const whole = Uint8Array.from({ length: 12 }, (_, index) => index);
    const reader = new ByteReader(whole.subarray(4, 8));
    expect(reader.u32be("word")).toBe(0x04050607);
    expect(codeOf(() => reader.u8("next"))).toBe("TRUNCATED");
  });

  it("knows its byte orders and the highest bit", () => {
    const bytes = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 1);
    expect(new ByteReader(bytes).u64be("be")).toBe(0x8000_0000_0000_0001n);
    expect(new ByteReader(bytes).u64le("le")).toBe(0x0100_0000_0000_0080n);
    expect(new ByteReader(bytes).u32be("be")).toBe(0x8000_0000);
    expect(new ByteReader(bytes).u16le("le")).toBe(0x80);
  });

  it("refuses a reserved byte that is set, and bytes after the end", () => {
    const reader = new ByteReader(Uint8Array.of(0, 0, 7, 1));
    expect(() => reader.zeros(3, "reserved")).toThrow(
      "cannot read reserved at offset 0x2: expected 0x00, found 0x07",
    );
    expect(codeOf(() => reader.end("file"))).toBe("TRAILING");
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    "calls a length of %s our mistake, not the input's",
    (length) => {
      expect(() => new ByteReader(new Uint8Array(8)).bytes(length, "range")).toThrow(RangeError);
    },
  );
});

describe("writing bytes: a number that does not fit must not be cut", () => {
  it.each([
    ["u8", 256],
    ["u16le", 65536],
    ["u16be", -1],
    ["u32le", 2 ** 32],
    ["u32be", 1.5],
    ["u32be", Number.NaN],
  ] as const)("%s refuses %s", (kind, value) => {
    expect(() => new ByteWriter()[kind](value)).toThrow(RangeError);
  });

  it.each([
    ["u64le", 2n ** 64n],
    ["u64be", -1n],
  ] as const)("%s refuses %s", (kind, value) => {
    expect(() => new ByteWriter()[kind](value)).toThrow(RangeError);
  });

  it("gives a copy that later writing does not change", () => {
    const writer = new ByteWriter().u8(1);
    const first = writer.finish();
    writer.u8(2);
    expect(first).toEqual(Uint8Array.of(1));
    expect(writer.finish()).toEqual(Uint8Array.of(1, 2));
  });
});
