import { formatHex } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { MessageWriter } from "./protobuf.ts";

const hex = (writer: MessageWriter): string => formatHex(writer.finish());

describe("canonical messages", () => {
  it.each<[string, MessageWriter, string]>([
    ["nothing", new MessageWriter(), ""],
    ["a default string", new MessageWriter().string(1, ""), ""],
    ["a default integer", new MessageWriter().integer(1, 0), ""],
    ["a default bool", new MessageWriter().boolean(1, false), ""],
    // The example of the encoding guide: Test1 { a = 150 }.
    ["a varint of two bytes", new MessageWriter().integer(1, 150), "089601"],
    // The example of the encoding guide: Test2 { b = "testing" }.
    ["a string", new MessageWriter().string(2, "testing"), "120774657374696e67"],
    ["an empty message, which is present", new MessageWriter().message(6, new Uint8Array()), "3200"],
    ["empty strings of a repeated field", new MessageWriter().strings(1, ["", "a"]), "0a000a0161"],
    ["a field number beyond 15", new MessageWriter().integer(16, 1), "800101"],
    [
      "the largest safe integer",
      new MessageWriter().integer(1, Number.MAX_SAFE_INTEGER),
      "08ffffffffffffff0f",
    ],
  ])("write %s", (_, writer, bytes) => {
    expect(hex(writer)).toBe(bytes);
  });

  it("cannot be written out of order, which would be another spelling of the same message", () => {
    expect(() => new MessageWriter().string(2, "b").string(1, "a")).toThrow(RangeError);
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])("cannot hold the integer %d", (value) => {
    expect(() => new MessageWriter().integer(1, value)).toThrow(RangeError);
  });
});
