import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { concatBytes, formatHex, ParseError, sha256, utf8 } from "@bootproof/bytes";
import { readCpio } from "./cpio-read.ts";
import { type CpioInput, writeCpio } from "./cpio-write.ts";

const FILES: readonly CpioInput[] = [
  { name: "init", mode: 0o100755, data: utf8("#!/bin/busybox sh\n") },
  { name: "bin", mode: 0o040755 },
  { name: "bin/busybox", mode: 0o100755, data: utf8("ELF") },
  { name: "bin/sh", mode: 0o120777, data: utf8("busybox") },
  { name: "dev/console", mode: 0o020600, device: { major: 5, minor: 1 } },
  { name: "dev", mode: 0o040755 },
];
const archive = writeCpio(FILES);
const code = (expected: string) => expect.objectContaining({ name: "ParseError", code: expected }) as Error;

/** The archive with `text` written over it at `offset`. */
function patched(offset: number, text: string, base: Uint8Array = archive): Uint8Array {
  const bytes = base.slice();
  bytes.set(utf8(text), offset);
  return bytes;
}

describe("writing an initrd: the same files give the same bytes on every machine", () => {
  it("does not depend on the order of its entries", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...FILES], { minLength: FILES.length }), (shuffled) => {
        expect(formatHex(sha256(writeCpio(shuffled)))).toBe(formatHex(sha256(archive)));
      }),
    );
  });

  it("writes the bytes that it always wrote, which GNU cpio 2.13 unpacks", () => {
    expect(archive.length).toBe(872);
    expect(formatHex(sha256(archive))).toBe(
      "78f5b7a50a80b9379efe6a519c0dbc898c1126d15365d53831a9906532221bba",
    );
  });

  it("sorts by bytes, so that a directory stands before what is in it", () => {
    expect(readCpio(archive).entries.map(({ name }) => name)).toEqual([
      "bin",
      "bin/busybox",
      "bin/sh",
      "dev",
      "dev/console",
      "init",
    ]);
    const names = ["a-b", "a", "a/b", "é", "z"].map((name) => ({ name, mode: 0o100644 }));
    expect(readCpio(writeCpio(names)).entries.map(({ name }) => name)).toEqual(["a", "a-b", "a/b", "z", "é"]);
  });

  it("gives every entry root as owner, one link, one time and a number of its own", () => {
    const { entries } = readCpio(writeCpio(FILES, { mtime: 1_700_000_000 }));
    expect(entries.map(({ inode }) => inode)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const { uid, gid, links, mtime } of entries)
      expect([uid, gid, links, mtime]).toEqual([0, 0, 1, 1_700_000_000]);
    expect(entries[4]?.device).toEqual({ major: 5, minor: 1 });
  });

  it.each([
    ["an absolute name", { name: "/init", mode: 0o100755 }],
    ["a name that leaves the root", { name: "a/../../b", mode: 0o100755 }],
    ["a name with an empty part", { name: "a//b", mode: 0o100755 }],
    ["an empty name", { name: "", mode: 0o100755 }],
    ["a name with a NUL", { name: "a\0b", mode: 0o100755 }],
    ["a name that is too long", { name: "a".repeat(4096), mode: 0o100755 }],
    ["the trailer's name", { name: "TRAILER!!!", mode: 0o100755 }],
    ["a mode without file type", { name: "a", mode: 0o755 }],
    ["a mode beyond 16 bits", { name: "a", mode: 0o1100755 }],
    ["a directory with data", { name: "a", mode: 0o040755, data: utf8("x") }],
    ["a symbolic link without target", { name: "a", mode: 0o120777 }],
    ["a device without number", { name: "a", mode: 0o020600 }],
    ["a file with a device number", { name: "a", mode: 0o100600, device: { major: 1, minor: 1 } }],
    ["a device number beyond 32 bits", { name: "a", mode: 0o020600, device: { major: 2 ** 32, minor: 1 } }],
  ])("refuses %s", (_what, entry) => {
    expect(() => writeCpio([entry])).toThrow(RangeError);
  });

  it("refuses one name twice and a time that no field holds", () => {
    expect(() => writeCpio([FILES[0]!, FILES[0]!])).toThrow(RangeError);
    for (const mtime of [-1, 1.5, 2 ** 32]) expect(() => writeCpio([], { mtime })).toThrow(RangeError);
  });
});

describe("reading an initrd: a hostile archive is refused or flagged", () => {
  it("reads back whatever is written", () => {
    const part = fc.stringMatching(/^[a-z.é-]{1,6}$/).filter((text) => text !== "." && text !== "..");
    const file = fc.record({
      name: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
      mode: fc.constantFrom(0o100644, 0o100755),
      data: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 8 }), (files) => {
        const { entries, length } = readCpio(writeCpio(files));
        const read = entries.map(({ name, mode, data }) => [name, mode, formatHex(data)].join());
        expect(read.sort()).toEqual(
          files.map(({ name, mode, data }) => [name, mode, formatHex(data)].join()).sort(),
        );
        expect(length).toBe(writeCpio(files).length);
      }),
    );
  });

  it.each([
    ["another magic", 0, "070707", "BAD_MAGIC"],
    ["a sign in a field", 6, "+0000001", "BAD_ENCODING"],
    ["a space in a field", 14, " 00041ed", "BAD_ENCODING"],
    ["0x in a field", 6, "0x000001", "BAD_ENCODING"],
    ["a name of no length", 94, "00000001", "OUT_OF_RANGE"],
    ["a name longer than Linux reads", 94, "00001001", "OUT_OF_RANGE"],
    ["a name with a NUL inside", 111, "\0", "NOT_CANONICAL"],
    ["a name without its NUL", 113, "x", "NOT_ZERO"],
    ["padding that is not zero", 115, "x", "NOT_ZERO"],
    ["data beyond the end", 54, "ffffffff", "TRUNCATED"],
    ["a checksum in a format without one", 102, "00000001", "BAD_DIGEST"],
  ])("refuses %s", (_what, offset, text, expected) => {
    expect(() => readCpio(patched(offset, text))).toThrow(code(expected));
  });

  it("checks the sum of the data in the format that has one", () => {
    const summed = writeCpio([{ name: "f", mode: 0o100644, data: Uint8Array.of(255, 1) }]);
    expect(() => readCpio(patched(0, "070702", summed))).toThrow(code("BAD_DIGEST"));
    expect(readCpio(patched(102, "00000100", patched(0, "070702", summed))).entries).toHaveLength(1);
  });

  it("refuses an archive without trailer, and a trailer with data", () => {
    expect(() => readCpio(archive.subarray(0, archive.length - 124))).toThrow(code("TRUNCATED"));
    expect(() => readCpio(new Uint8Array())).toThrow(code("TRUNCATED"));
    const trailer = archive.length - 124;
    const grown = concatBytes(patched(trailer + 54, "00000004"), new Uint8Array(4));
    expect(() => readCpio(grown)).toThrow(code("OUT_OF_RANGE"));
  });

  it("shows a name that is no UTF-8, as Linux unpacks it all the same", () => {
    const bytes = writeCpio([{ name: "a".repeat(4), mode: 0o100644 }]);
    bytes.set([0x66, 0xff, 0xc3], 110);
    expect(readCpio(bytes).entries[0]?.name).toBe("f\\xff\\xc3a");
  });

  it("flags names that leave the root", () => {
    const rename = (name: string) =>
      readCpio(patched(110, name, writeCpio([{ name: "x".repeat(name.length), mode: 0o100644 }]))).entries[0]
        ?.unsafe;
    expect(rename("/etc/passwd")).toBe("absolute");
    expect(rename("a/../../etc")).toBe("traversal");
    expect(rename("..")).toBe("traversal");
    expect(rename("a..b/..c")).toBeUndefined();
  });

  it("parses any bytes and any change of an archive, or throws ParseError", () => {
    const change = fc.tuple(fc.nat(archive.length - 1), fc.nat(255));
    const mutated = fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
      const bytes = archive.slice();
      for (const [offset, byte] of changes) bytes[offset] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (bytes) => {
        try {
          readCpio(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
