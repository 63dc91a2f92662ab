import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "./index.ts";

test("an integer is written whole when the buffer must grow to hold it", () => {
  const writer = new ByteWriter(16).zeros(15);
  writer.u8(1).u16le(0x0203).u32be(0x04050607).u64le(8n);
  const reader = new ByteReader(writer.finish());
  reader.zeros(15, "start");
  expect([reader.u8("a"), reader.u16le("b"), reader.u32be("c"), reader.u64le("d")]).toEqual([
    1,
    0x0203,
    0x04050607,
    8n,
  ]);
});

test("what was written reads back, whatever the buffer's first size", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { maxLength: 200 }), fc.nat(64), (values, capacity) => {
      const writer = new ByteWriter(capacity);
      for (const value of values) writer.u16be(value);
      const reader = new ByteReader(writer.finish());
      expect(values.map(() => reader.u16be("value"))).toEqual(values);
      reader.end("values");
    }),
  );
});

test("a value that does not fit its field is refused, not cut", () => {
  expect(() => new ByteWriter().u8(256)).toThrow(RangeError);
  expect(() => new ByteWriter().u16le(-1)).toThrow(RangeError);
  expect(() => new ByteWriter().u64be(1n << 64n)).toThrow(RangeError);
});
