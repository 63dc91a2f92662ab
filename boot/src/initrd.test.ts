import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { concatBytes, ParseError, utf8 } from "@bootproof/bytes";
import { writeCpio } from "./cpio-write.ts";
import { detectCompression, parseInitrd } from "./initrd.ts";

const microcode = writeCpio([
  { name: "kernel/x86/microcode/AuthenticAMD.bin", mode: 0o100644, data: utf8("ucode") },
]);
const root = writeCpio([{ name: "init", mode: 0o100755, data: utf8("#!/bin/sh\n") }]);

describe("initrd: everything that a kernel would unpack is seen", () => {
  it("finds archives one after another, with zeros between them, and compressed data at the end", () => {
    const padding = new Uint8Array(512 - (microcode.length % 512));
    const gzip = new Uint8Array(gzipSync(root));
    const parts = parseInitrd(concatBytes(microcode, padding, root, gzip));
    expect(parts.map(({ kind, offset, length }) => [kind, offset, length])).toEqual([
      ["cpio", 0, microcode.length],
      ["cpio", microcode.length + padding.length, root.length],
      ["compressed", microcode.length + padding.length + root.length, gzip.length],
    ]);
    expect(
      parts.flatMap((part) => (part.kind === "cpio" ? part.entries.map(({ name }) => name) : [])),
    ).toEqual(["kernel/x86/microcode/AuthenticAMD.bin", "init"]);
  });

  it("takes an empty file and nothing but zeros for an empty initrd", () => {
    expect(parseInitrd(new Uint8Array())).toEqual([]);
    expect(parseInitrd(new Uint8Array(1024))).toEqual([]);
  });

  it("knows the kernel's compression formats by their first bytes", () => {
    expect(detectCompression(new Uint8Array(gzipSync(root)))).toBe("gzip");
    expect(detectCompression(new Uint8Array(zstdCompressSync(root)))).toBe("zstd");
    expect(detectCompression(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0))).toBe("xz");
    expect(detectCompression(Uint8Array.of(0xfd))).toBeUndefined();
    expect(detectCompression(root)).toBeUndefined();
  });

  it("refuses what the kernel would: other bytes, and an archive where it does not look for one", () => {
    const refused = (bytes: Uint8Array, code: string) => {
      expect(() => parseInitrd(bytes)).toThrow(
        expect.objectContaining({ name: "ParseError", code }) as Error,
      );
    };
    refused(utf8("not an initrd"), "BAD_MAGIC");
    refused(concatBytes(root, utf8("rest")), "BAD_MAGIC");
    refused(concatBytes(root, new Uint8Array(1), root), "OUT_OF_RANGE");
  });

  it("parses any bytes or throws ParseError", () => {
    const start = fc.constantFrom(root, microcode, Uint8Array.of(0), Uint8Array.of(0x1f, 0x8b));
    fc.assert(
      fc.property(fc.array(fc.oneof(start, fc.uint8Array({ maxLength: 50 })), { maxLength: 4 }), (parts) => {
        try {
          parseInitrd(concatBytes(...parts));
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});
