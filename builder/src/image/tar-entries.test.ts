import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, ParseError, utf8 } from "@bootproof/bytes";
import { type Entry, paxRecords, tar } from "./image.testing.ts";
import { readTarEntries, type TarSource, type UntrustedTarEntry } from "./tar-entries.ts";

const source = (bytes: Uint8Array): TarSource => ({
  size: bytes.length,
  read: (position, length) => bytes.subarray(position, position + length),
});
const read = (bytes: Uint8Array): UntrustedTarEntry[] => [...readTarEntries(source(bytes))];
const one = (entry: Entry): UntrustedTarEntry => read(tar([entry]))[0]!;
const code = (expected: string): Error =>
  expect.objectContaining({ name: "ParseError", code: expected }) as Error;
const special = (type: string, content: string | Uint8Array): Entry => ({ name: "special", type, content });
/** What a file holds when its holes are filled. */
function content(bytes: Uint8Array, { size, position, extents }: UntrustedTarEntry): string {
  const whole = new Uint8Array(size).fill(0x2e);
  for (const extent of extents ?? [{ offset: 0, length: size, position }])
    whole.set(bytes.subarray(extent.position, extent.position + extent.length), extent.offset);
  return new TextDecoder().decode(whole);
}

describe("what a layer's tar says is read as container runtimes read it", () => {
  it("takes names and links of any length from pax records and from GNU tar's long names", () => {
    const long = "d/".repeat(150) + "name";
    const pax = { path: long, linkpath: `${long}2`, uid: "3000000", gid: "4000000" };
    expect(one({ name: "short", type: "2", link: "x", pax })).toMatchObject({
      type: "symlink",
      name: long,
      linkname: `${long}2`,
      uid: 3_000_000,
      gid: 4_000_000,
    });
    const gnu = tar([special("L", `${long}\0`), special("K", "target\0"), { name: "short", type: "1" }]);
    expect(read(gnu)).toMatchObject([{ type: "hardlink", name: long, linkname: "target" }]);
  });

  it("joins the prefix of ustar, also the shorter one of star and the one that old versions of Go wrote", () => {
    expect(one({ name: "n", patch: [[345, "usr/share"]] }).name).toBe("usr/share/n");
    const star: Entry["patch"] = [
      [345, "p".repeat(131)],
      [476, "00000000000 00000000000 "],
      [508, "tar\0"],
    ];
    expect(one({ name: "n", patch: star }).name).toBe(`${"p".repeat(131)}/n`);
    expect(
      one({
        name: "n",
        patch: [
          [257, "ustar  \0"],
          [345, "00000000000\0"],
        ],
      }).name,
    ).toBe("n");
    expect(
      one({
        name: "n",
        patch: [
          [257, "ustar  \0"],
          [345, "usr/share"],
        ],
      }).name,
    ).toBe("usr/share/n");
    expect(
      one({
        name: "n",
        patch: [
          [257, new Uint8Array(8)],
          [345, "not a prefix"],
        ],
      }).name,
    ).toBe("n");
  });

  it("keeps names as bytes, whatever they are", () => {
    expect(one({ name: Uint8Array.of(0x66, 0xff, 0x0a) }).name).toBe("f\xff\n");
    expect(one({ name: "x", pax: { path: Uint8Array.of(0x66, 0xfe) } }).name).toBe("f\xfe");
  });

  it("takes numbers in base 256, a NUL type behind a slash for a directory, and names extended attributes", () => {
    const uid = Uint8Array.of(0x80, 0, 0, 0, 0, 0x12, 0x34, 0x56);
    expect(one({ name: "n", patch: [[108, uid]] }).uid).toBe(0x12_34_56);
    expect(one({ name: "d/", type: "\0" }).type).toBe("directory");
    expect(one({ name: "f/", type: "0" }).type).toBe("file");
    const pax = { "SCHILY.xattr.security.capability": Uint8Array.of(1, 0, 0xff, 0x0a), mtime: "1.5" };
    expect(one({ name: "n", pax }).attributes).toEqual(["security.capability"]);
  });

  it("takes links and directories for headers only, whatever size they state", () => {
    const bytes = tar([
      { name: "d", type: "5", size: 4096 },
      { name: "l", type: "1", link: "a", size: 7 },
      { name: "f" },
    ]);
    expect(read(bytes).map(({ name, size }) => [name, size])).toEqual([
      ["d", 0],
      ["l", 0],
      ["f", 0],
    ]);
  });

  it("passes over comments for the whole tar", () => {
    expect(read(tar([special("g", paxRecords({ comment: "a commit" })), { name: "f" }]))).toHaveLength(1);
  });
});

describe("files with holes come out whole", () => {
  const octal = (value: number): string => value.toString(8).padStart(11, "0") + "\0";

  it("in the old format of GNU tar, with a map that goes on behind the header", () => {
    const pairs = [0, 10, 20, 30, 40, 50].map((offset) => octal(offset) + octal(1));
    const more = new Uint8Array(512);
    more.set(utf8(pairs.slice(4).join("") + octal(60) + octal(0)));
    const patch: Entry["patch"] = [
      [257, "ustar  \0"],
      [386, pairs.slice(0, 4).join("")],
      [482, "\x01"],
      [483, octal(60)],
    ];
    const bytes = tar([
      { name: "s", type: "S", size: 6, patch, content: concatBytes(more, utf8("abcdef")) },
      { name: "next" },
    ]);
    const [entry, next] = read(bytes);
    expect(content(bytes, entry!)).toBe("a.........b.........c.........d.........e.........f.........");
    expect(next?.name).toBe("next");
  });

  it.each<[string, Record<string, string>, string]>([
    [
      "0.0",
      {
        "GNU.sparse.size": "9",
        "GNU.sparse.numblocks": "1",
        "GNU.sparse.offset": "3",
        "GNU.sparse.numbytes": "2",
      },
      "ab",
    ],
    ["0.1", { "GNU.sparse.size": "9", "GNU.sparse.name": "real", "GNU.sparse.map": "3,2,9,0" }, "ab"],
    [
      "1.0",
      {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "real",
        "GNU.sparse.realsize": "9",
      },
      `2\n3\n2\n9\n0\n${"\0".repeat(502)}ab`,
    ],
  ])("in the pax format %s", (version, pax, stored) => {
    const bytes = tar([{ name: "GNUSparseFile.1/real", pax, content: stored }]);
    const [entry] = read(bytes);
    expect(content(bytes, entry!)).toBe("...ab....");
    expect(entry?.name).toBe(version === "0.0" ? "GNUSparseFile.1/real" : "real");
  });

  it.each([
    ["extents that overlap", "0,2,1,2", "9", "abcd"],
    ["an extent behind the end", "8,2", "9", "ab"],
    ["fewer bytes than its extents", "0,4", "9", "ab"],
    ["half a pair", "0,2,4", "9", "ab"],
    ["no number", "0,x", "9", "ab"],
  ])("and are refused with %s", (_what, map, size, stored) => {
    const pax = { "GNU.sparse.size": size, "GNU.sparse.map": map };
    expect(() => one({ name: "s", pax, content: stored })).toThrow(ParseError);
  });
});

describe("a tar that tools would read in two ways is refused", () => {
  const pax = (text: string): Uint8Array => tar([special("x", text), { name: "f" }]);
  it.each<[string, string, Uint8Array]>([
    ["a broken checksum", "BAD_DIGEST", tar([{ name: "a" }]).with(0, 0x62)],
    ["half a block", "TRUNCATED", tar([{ name: "a" }], new Uint8Array(100))],
    ["an end in the middle of a file", "TRUNCATED", tar([{ name: "a", size: 5000 }], new Uint8Array())],
    ["bytes behind the end", "TRAILING", concatBytes(tar([{ name: "a" }]), tar([{ name: "hidden" }]))],
    [
      "bytes behind one block of zeros",
      "TRAILING",
      tar([{ name: "a" }], concatBytes(new Uint8Array(512), tar([{ name: "hidden" }]))),
    ],
    ["a negative size", "OUT_OF_RANGE", tar([{ name: "a", patch: [[124, new Uint8Array(12).fill(0xff)]] }])],
    ["a size that is no number", "OUT_OF_RANGE", tar([{ name: "a", patch: [[124, "0x10"]] }])],
    ["a record that is longer than the header", "BAD_ENCODING", pax("99 path=x\n")],
    ["a record without line break", "BAD_ENCODING", pax("9 path=xx")],
    ["a record of no length", "BAD_ENCODING", pax("0 path=x\n")],
    ["a record twice", "DUPLICATE", pax("10 path=x\n10 path=y\n")],
    [
      "two extended headers",
      "DUPLICATE",
      tar([special("x", "9 path=x\n"), special("x", "9 path=y\n"), { name: "f" }]),
    ],
    [
      "a long name and a path",
      "DUPLICATE",
      tar([special("L", "long\0"), special("x", "9 path=x\n"), { name: "f" }]),
    ],
    ["an extended header before nothing", "TRUNCATED", tar([special("x", "9 path=x\n")])],
    ["a name for every entry", "UNSUPPORTED", tar([special("g", "9 path=x\n"), { name: "f" }])],
    ["a link with content", "OUT_OF_RANGE", tar([{ name: "l", type: "2", link: "a", size: 5 }])],
    ["a huge extended header", "TOO_LARGE", tar([{ name: "p", type: "x", size: 2 ** 21 }])],
  ])("%s", (_what, expected, bytes) => {
    expect(() => read(bytes)).toThrow(code(expected));
  });

  it("any bytes and any change of a tar are read or throw ParseError", () => {
    const base = tar([
      special("L", "long\0"),
      { name: "a", content: "x" },
      { name: "b", pax: { path: "p", "GNU.sparse.size": "9", "GNU.sparse.map": "0,1" }, content: "y" },
      { name: "c", type: "3", device: [1, 2] },
      special("g", paxRecords({ comment: "c" })),
      {
        name: "s",
        type: "S",
        content: "z",
        patch: [
          [386, "00000000000\x0000000000001\0"],
          [483, "00000000005\0"],
        ],
      },
    ]);
    const change = fc.tuple(fc.nat(base.length - 1), fc.nat(255));
    const mutated = fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
      const bytes = base.slice();
      for (const [offset, byte] of changes) {
        bytes[offset] = byte;
        fixSum(bytes, offset - (offset % 512));
      }
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 2000 }), mutated), (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Makes a header's sum right again, so that a change gets past it. */
function fixSum(bytes: Uint8Array, at: number): void {
  const block = bytes.subarray(at, at + 512);
  block.set(utf8(" ".repeat(8)), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(utf8(sum.toString(8).padStart(6, "0") + "\0 "), 148);
}
