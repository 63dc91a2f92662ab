import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { concatBytes, ParseError, utf8, type ParseErrorCode } from "@bootproof/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { arOf, debOf, debWith, tarEntry, tarOf, type TestEntry, type TestMember } from "./deb.testing.ts";
import { ROOT_TIME, unpackPackage, UNPACK_LIMITS, type UnpackedPackage } from "./unpack-package.ts";

let folder: string;
let root: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bootproof-unpack-"));
  root = mkdtempSync(join(folder, "root-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function unpack(deb: Uint8Array, limits = UNPACK_LIMITS): Promise<UnpackedPackage> {
  const path = join(folder, "test.deb");
  writeFileSync(path, deb);
  return unpackPackage(path, root, limits);
}

const files: readonly TestEntry[] = [
  { name: "./", type: "5" },
  { name: "./usr/", type: "5", mode: 0o700 },
  { name: "./usr/bin/", type: "5" },
  { name: "./usr/bin/tool", content: "#!/bin/sh\n", mode: 0o4750 },
  { name: "./usr/share/text", content: "x".repeat(1000), mode: 0o600 },
  { name: "./usr/bin/alias", type: "2", linkname: "tool" },
  { name: "./usr/bin/twin", type: "1", linkname: "./usr/bin/tool" },
];

describe("unpacking a package", () => {
  it.each(["", ".gz", ".xz", ".zst"])("reads data.tar%s", async (ending) => {
    const { entries } = await unpack(debOf(tarOf(...files), ending));
    expect(entries.map(([path, { type }]) => `${type} ${path}`)).toEqual([
      "directory usr",
      "directory usr/bin",
      "file usr/bin/tool",
      "file usr/share/text",
      "symlink usr/bin/alias",
      "hardlink usr/bin/twin",
    ]);
    expect(readFileSync(join(root, "usr/bin/tool"), "utf8")).toBe("#!/bin/sh\n");
  });

  it("gives files one of two modes and one time, and drops setuid", async () => {
    await unpack(debWith(...files));
    const modes = ["usr/bin/tool", "usr/share/text"].map((path) => lstatSync(join(root, path)).mode & 0o7777);
    expect(modes).toEqual([0o755, 0o644]);
    expect(lstatSync(join(root, "usr/bin/tool")).mtimeMs).toBe(ROOT_TIME * 1000);
  });

  it("makes no link while other packages are unpacked, so that none is followed", async () => {
    await unpack(debWith(...files));
    expect(readdirSync(join(root, "usr/bin"))).toEqual(["tool"]);
  });

  it("puts what is below /bin into /usr/bin, as merged /usr has it", async () => {
    const { entries } = await unpack(
      debWith({ name: "bin/sh", content: "shell" }, { name: "lib", type: "2", linkname: "usr/lib" }),
    );
    expect(entries.map(([path]) => path)).toEqual(["usr/bin/sh"]);
    expect(readFileSync(join(root, "usr/bin/sh"), "utf8")).toBe("shell");
  });

  it("hashes and keeps a file that another package has put there", async () => {
    await unpack(debWith({ name: "a", content: "first" }));
    const { entries } = await unpack(debWith({ name: "a", content: "second" }));
    expect(entries[0]?.[1]).toMatchObject({ type: "file", size: 6 });
    expect(readFileSync(join(root, "a"), "utf8")).toBe("first");
  });
});

const withFile = (name: string, more: Partial<TestEntry> = {}): Uint8Array =>
  debWith({ name, content: "x", ...more });
const deb = (...members: readonly TestMember[]): Uint8Array => arOf(...members);
const format = { name: "debian-binary", bytes: utf8("2.0\n") };
const control = { name: "control.tar", bytes: tarOf() };
const tar = tarOf({ name: "a", content: "x" });

describe("a package that is hostile or broken", () => {
  it.each<[string, () => Uint8Array, ParseErrorCode]>([
    ["is no archive", () => utf8("PK\x03\x04 some zip file"), "BAD_MAGIC"],
    ["has no members", () => deb(), "MISSING"],
    ["starts with another member", () => deb(control, format), "MISSING"],
    ["is of format 1.0", () => deb({ ...format, bytes: utf8("1.0\n") }, control), "UNSUPPORTED"],
    ["has a long format member", () => deb({ ...format, bytes: new Uint8Array(99) }), "TOO_LARGE"],
    ["has no control part", () => deb(format, { name: "data.tar", bytes: tar }), "MISSING"],
    ["has no data part", () => deb(format, control), "MISSING"],
    ["has an empty data part", () => debOf(new Uint8Array()), "TRUNCATED"],
    [
      "is compressed by bzip2",
      () => deb(format, control, { name: "data.tar.bz2", bytes: tar }),
      "UNSUPPORTED",
    ],
    [
      "has a member after its data",
      () => deb(format, control, { name: "data.tar", bytes: tar }, { name: "more", bytes: tar }),
      "TRAILING",
    ],
    ["says gzip and is not", () => deb(format, control, { name: "data.tar.gz", bytes: tar }), "BAD_ENCODING"],
    ["says xz and is not", () => deb(format, control, { name: "data.tar.xz", bytes: tar }), "BAD_ENCODING"],
    [
      "says zstd and is not",
      () => deb(format, control, { name: "data.tar.zst", bytes: tar }),
      "BAD_ENCODING",
    ],
    ["has a gzip stream without its end", () => debOf(tar, ".gz", 6), "BAD_ENCODING"],
    ["has half a gzip stream", () => debOf(tar, ".gz", 40), "BAD_ENCODING"],
    ["has a xz stream without its end", () => debOf(tar, ".xz", 6), "BAD_ENCODING"],
    ["has half a xz stream", () => debOf(tar, ".xz", 40), "BAD_ENCODING"],
    ["has a zstd stream without its end", () => debOf(tar, ".zst", 6), "BAD_ENCODING"],
    ["has half a zstd stream", () => debOf(tar, ".zst", 40), "BAD_ENCODING"],
    ["has a tar cut in a header", () => debOf(tar.subarray(0, 300)), "TRUNCATED"],
    ["has a tar cut in a file", () => debOf(tarEntry({ name: "a", claimedSize: 4096 })), "BAD_ENCODING"],
    ["has a tar header with a wrong checksum", () => debOf(flipped(tar, 0)), "BAD_ENCODING"],
    ["has an absolute path", () => withFile("/etc/cron.d/x"), "OUT_OF_RANGE"],
    ["climbs out", () => withFile("../../etc/passwd"), "OUT_OF_RANGE"],
    ["climbs out after going in", () => withFile("usr/../../x"), "OUT_OF_RANGE"],
    ["names a file the root", () => withFile("./"), "UNSUPPORTED"],
    ["replaces /bin by a file", () => withFile("bin"), "OUT_OF_RANGE"],
    ["leads /lib elsewhere", () => withFile("lib", { type: "2", linkname: "/etc" }), "OUT_OF_RANGE"],
    ["links out", () => withFile("a", { type: "2", linkname: "../../etc" }), "OUT_OF_RANGE"],
    ["hard-links out", () => withFile("a", { type: "1", linkname: "/etc/shadow" }), "OUT_OF_RANGE"],
    ["hard-links to nothing", () => withFile("a", { type: "1", linkname: "b" }), "MISSING"],
    ["hard-links to itself", () => withFile("a", { type: "1", linkname: "a" }), "MISSING"],
    ["holds a character device", () => withFile("a", { type: "3" }), "UNSUPPORTED"],
    ["holds a block device", () => withFile("a", { type: "4" }), "UNSUPPORTED"],
    ["holds a pipe", () => withFile("a", { type: "6" }), "UNSUPPORTED"],
    ["holds an unknown type", () => withFile("a", { type: "Z" }), "UNSUPPORTED"],
    ["holds a path twice", () => debWith({ name: "a" }, { name: "./a" }), "DUPLICATE"],
    [
      "holds a path as file and link",
      () => debWith({ name: "a" }, { name: "a", type: "2", linkname: "b" }),
      "DUPLICATE",
    ],
    ["has a file below a file", () => debWith({ name: "a" }, { name: "a/b" }), "DUPLICATE"],
  ])("that %s is refused", async (_, make, code) => {
    await expect(unpack(make())).rejects.toMatchObject({ name: "ParseError", code });
  });

  it.each<[string, Uint8Array, Partial<typeof UNPACK_LIMITS>]>([
    ["a file over the limit", debWith({ name: "a", content: "x".repeat(2000) }), { fileSize: 1000 }],
    ["a claim over the limit", debOf(tarEntry({ name: "a", claimedSize: 2 ** 32 })), {}],
    ["more entries than the limit", debWith({ name: "a" }, { name: "b" }, { name: "c" }), { entries: 2 }],
    ["a bomb in gzip", debOf(new Uint8Array(2 ** 20), ".gz"), { totalSize: 2 ** 16 }],
    ["a bomb in zstd", debOf(new Uint8Array(2 ** 20), ".zst"), { totalSize: 2 ** 16 }],
    ["a bomb in xz", debOf(new Uint8Array(2 ** 20), ".xz"), { totalSize: 2 ** 16 }],
  ])("with %s is refused", async (_, bytes, limits) => {
    await expect(unpack(bytes, { ...UNPACK_LIMITS, ...limits })).rejects.toMatchObject({ code: "TOO_LARGE" });
  });

  it("leaves no half-written file behind", async () => {
    const whole = debOf(tarEntry({ name: "a", content: "x".repeat(100_000), claimedSize: 200_000 }));
    await expect(unpack(whole)).rejects.toThrow(ParseError);
    expect(readdirSync(root)).toEqual([]);
  });

  it("is unpacked or refused by ParseError, whichever byte is changed, and never leaves its root", async () => {
    const whole = debOf(tarOf(...files));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (place, byte) => {
        await unpack(flipped(whole, place, byte)).catch((cause: unknown) => {
          expect(cause).toBeInstanceOf(ParseError);
        });
        expect(readdirSync(folder).sort()).toEqual([root.slice(folder.length + 1), "test.deb"].sort());
        rmSync(root, { recursive: true });
        root = mkdtempSync(join(folder, "root-"));
      }),
      { numRuns: 150 },
    );
  });

  it("is refused by ParseError, whatever bytes stand for its tar", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1500 }), async (bytes) => {
        for (const data of [bytes, gzipSync(bytes)])
          await unpack(
            deb(format, control, { name: data === bytes ? "data.tar" : "data.tar.gz", bytes: data }),
          ).catch((cause: unknown) => expect(cause).toBeInstanceOf(ParseError));
      }),
      { numRuns: 100 },
    );
  });
});

function flipped(bytes: Uint8Array, place: number, byte = (bytes[place] ?? 0) ^ 1): Uint8Array {
  const copy = concatBytes(bytes);
  copy[place] = byte;
  return copy;
}
