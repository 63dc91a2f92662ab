import { describe, expect, it } from "vitest";
import { openImage } from "./open-image.ts";
import { filesTar, listing, ramdiskBytes, savedFiles, tar, writeBytes, type Entry } from "./image.testing.ts";

/** What is in a guest that boots an image of these layers, as lines `path type mode owner what`. */
async function guest(...layers: readonly (readonly Entry[])[]): Promise<string[]> {
  const path = await writeBytes(filesTar(savedFiles({ layers: layers.map((layer) => tar(layer)) })));
  return listing(await ramdiskBytes(await openImage(path), { prefix: "" }));
}

const dir = (name: string, more: Partial<Entry> = {}): Entry => ({ name, type: "5", ...more });
const file = (name: string, content = name, more: Partial<Entry> = {}): Entry => ({ name, content, ...more });
const hard = (name: string, link: string): Entry => ({ name, type: "1", link });
const soft = (name: string, link: string): Entry => ({ name, type: "2", link });
const gone = (name: string): Entry => ({ name });
const code = (expected: string): Error =>
  expect.objectContaining({ name: "BuildError", code: expected }) as Error;

describe("one layer: what the guest finds is what the layer says", () => {
  it("keeps setuid, setgid and sticky bits, owners, and modes of directories", async () => {
    expect(
      await guest([
        dir("tmp/", { mode: 0o1777 }),
        file("su", "x", { mode: 0o4755 }),
        file("wall", "x", { mode: 0o2755, gid: 5 }),
        file("home", "x", { mode: 0o600, uid: 1000, gid: 1001 }),
      ]),
    ).toEqual([
      'home file 600 1000:1001 "x"',
      'su file 4755 0:0 "x"',
      "tmp directory 1777 0:0",
      'wall file 2755 0:5 "x"',
    ]);
  });

  it("keeps devices and pipes with their numbers", async () => {
    expect(
      await guest([
        { name: "null", type: "3", device: [1, 3], mode: 0o666 },
        { name: "disk", type: "4", device: [8, 1], mode: 0o660, gid: 6 },
        { name: "pipe", type: "6", mode: 0o600 },
      ]),
    ).toEqual(["disk blockDevice 660 0:6 8:1", "null characterDevice 666 0:0 1:3", "pipe fifo 600 0:0"]);
  });

  it("makes the directories that it leaves out, as root's and 0755", async () => {
    expect(await guest([file("a/b/c", "x")])).toEqual([
      "a directory 755 0:0",
      "a/b directory 755 0:0",
      'a/b/c file 644 0:0 "x"',
    ]);
  });

  it("takes absolute names, ./ and // for names below the root", async () => {
    expect(await guest([dir("./"), file("/a"), file("./b"), file(".//c//d", "x"), dir("./e/./")])).toEqual([
      'a file 644 0:0 "/a"',
      'b file 644 0:0 "./b"',
      "c directory 755 0:0",
      'c/d file 644 0:0 "x"',
      "e directory 755 0:0",
    ]);
  });

  it("lets the last of two entries of one name win, of every kind", async () => {
    expect(
      await guest([
        file("a", "1"),
        file("a", "2"),
        dir("b"),
        file("b/old"),
        file("b", "now a file"),
        file("c"),
        dir("c", { mode: 0o700 }),
        dir("d", { mode: 0o700 }),
        file("d/kept", "x"),
        dir("d", { mode: 0o711 }),
        soft("e", "a"),
        file("e", "no link any more"),
      ]),
    ).toEqual([
      'a file 644 0:0 "2"',
      'b file 644 0:0 "now a file"',
      "c directory 700 0:0",
      "d directory 711 0:0",
      'd/kept file 644 0:0 "x"',
      'e file 644 0:0 "no link any more"',
    ]);
  });

  it("keeps names that differ in case only, and bytes that are no UTF-8", async () => {
    const odd = Uint8Array.of(0x66, 0xff, 0xfe);
    const path = await writeBytes(
      filesTar(savedFiles({ layers: [tar([file("README"), file("readme"), { name: odd, content: "x" }])] })),
    );
    const bytes = Buffer.from(await ramdiskBytes(await openImage(path), { prefix: "" }));
    expect(bytes.includes(Buffer.from("f\xff\xfe\0", "latin1"))).toBe(true);
    expect(bytes.includes("README\0")).toBe(true);
    expect(bytes.includes("readme\0")).toBe(true);
  });
});

describe("symbolic links: followed inside the image, never out of it", () => {
  it("keeps every target as it is, also one that leaves the root", async () => {
    expect(
      await guest([soft("a", "/etc/passwd"), soft("b", "../../../etc/shadow"), soft("c", "nowhere")]),
    ).toEqual([
      'a symlink 777 0:0 "/etc/passwd"',
      'b symlink 777 0:0 "../../../etc/shadow"',
      'c symlink 777 0:0 "nowhere"',
    ]);
  });

  it("puts what lies below a link where the link leads inside the image, as containerd and umoci do", async () => {
    expect(
      await guest(
        [dir("usr/bin"), soft("bin", "usr/bin"), soft("abs", "/usr/bin"), soft("out", "../../usr/bin")],
        [file("bin/sh", "1"), file("abs/ls", "2"), file("out/cp", "3")],
      ),
    ).toEqual([
      'abs symlink 777 0:0 "/usr/bin"',
      'bin symlink 777 0:0 "usr/bin"',
      'out symlink 777 0:0 "../../usr/bin"',
      "usr directory 755 0:0",
      "usr/bin directory 755 0:0",
      'usr/bin/cp file 644 0:0 "3"',
      'usr/bin/ls file 644 0:0 "2"',
      'usr/bin/sh file 644 0:0 "1"',
    ]);
  });

  it("makes the directory that a dangling link leads to", async () => {
    expect(await guest([soft("log", "/var/volatile/log"), file("log/app", "x")])).toEqual([
      'log symlink 777 0:0 "/var/volatile/log"',
      "var directory 755 0:0",
      "var/volatile directory 755 0:0",
      "var/volatile/log directory 755 0:0",
      'var/volatile/log/app file 644 0:0 "x"',
    ]);
  });

  it("replaces a link, not what it leads to, when an entry has its very name", async () => {
    expect(
      await guest(
        [dir("real"), file("real/f"), soft("a", "real"), soft("b", "real/f")],
        [dir("a"), file("b", "x")],
      ),
    ).toEqual([
      "a directory 755 0:0",
      'b file 644 0:0 "x"',
      "real directory 755 0:0",
      'real/f file 644 0:0 "real/f"',
    ]);
  });

  it("refuses links in circles and directories below files", async () => {
    await expect(guest([soft("a", "b"), soft("b", "a"), file("a/x")])).rejects.toThrow(code("BP-IMAGE-011"));
    await expect(guest([file("a"), file("a/x")])).rejects.toThrow(code("BP-IMAGE-011"));
    await expect(guest([file("a")], [dir("a/x")])).rejects.toThrow(code("BP-IMAGE-011"));
  });
});

describe("hard links: one file under several names", () => {
  it("links within a layer and to files of lower layers, with the bytes once", async () => {
    expect(
      await guest([file("a", "x", { mode: 0o4711, uid: 7 }), hard("b", "a")], [hard("dir/c", "/b")]),
    ).toEqual([
      'a file 4711 7:0 "x" =a',
      'b file 4711 7:0 "x" =a',
      "dir directory 755 0:0",
      'dir/c file 4711 7:0 "x" =a',
    ]);
  });

  it("keeps a lower layer's file under its other name when one of them is replaced or taken away", async () => {
    expect(
      await guest([file("a", "x"), hard("b", "a"), hard("c", "a")], [file("a", "new"), gone(".wh.b")]),
    ).toEqual(['a file 644 0:0 "new"', 'c file 644 0:0 "x"']);
  });

  it("links to symbolic links, of which the kernel makes two", async () => {
    expect(await guest([soft("a", "x"), hard("b", "a")])).toEqual([
      'a symlink 777 0:0 "x"',
      'b symlink 777 0:0 "x"',
    ]);
  });

  it("follows links among the folders of its target, not the last name", async () => {
    expect(await guest([file("usr/f", "x"), soft("u", "usr"), hard("g", "u/f")])).toEqual([
      'g file 644 0:0 "x" =g',
      'u symlink 777 0:0 "usr"',
      "usr directory 755 0:0",
      'usr/f file 644 0:0 "x" =g',
    ]);
  });

  it.each([
    ["to nothing", [[hard("a", "nothing")]]],
    ["to a file that comes later", [[hard("a", "b"), file("b")]]],
    ["to a directory", [[dir("d"), hard("a", "d")]]],
    ["to itself", [[file("a"), hard("a", "a")]]],
    [
      "to a file that a whiteout of the same layer has taken away",
      [[file("a")], [gone(".wh.a"), hard("b", "a")]],
    ],
    ["out of the root", [[file("a"), hard("b", "../a")]]],
    ["to a file that the layer before took away", [[file("a")], [gone(".wh.a")], [hard("b", "a")]]],
  ] as const)("refuses one %s", async (_what, layers) => {
    await expect(guest(...layers)).rejects.toThrow(code("BP-IMAGE-012"));
  });
});

describe("whiteouts: what an upper layer deleted is not in the guest", () => {
  it("takes away files, links and whole directories of lower layers", async () => {
    expect(
      await guest(
        [file("a"), dir("d"), file("d/x"), file("d/y/z"), soft("l", "a"), file("keep", "x")],
        [gone(".wh.a"), gone(".wh.d"), gone(".wh.l"), gone("gone/.wh.never-was")],
      ),
    ).toEqual(["gone directory 755 0:0", 'keep file 644 0:0 "x"']);
  });

  it.each([
    ["before", [gone(".wh.a"), gone(".wh.d"), file("a", "new"), file("d/new", "x")]],
    ["after", [file("a", "new"), file("d/new", "x"), gone(".wh.d"), gone(".wh.a")]],
  ])("leaves what its own layer puts there, when it stands %s it", async (_where, upper) => {
    expect(await guest([file("a", "old"), dir("d", { mode: 0o700 }), file("d/old")], upper)).toEqual([
      'a file 644 0:0 "new"',
      "d directory 755 0:0",
      'd/new file 644 0:0 "x"',
    ]);
  });

  it.each([
    ["before", [gone("d/.wh..wh..opq"), file("d/new", "x"), file("d/s/new", "x")]],
    ["after", [file("d/new", "x"), file("d/s/new", "x"), gone("d/.wh..wh..opq")]],
  ])(
    "hides all that lower layers have in an opaque directory, standing %s its own",
    async (_where, upper) => {
      expect(
        await guest(
          [dir("d", { mode: 0o700, uid: 3 }), file("d/old"), dir("d/s"), file("d/s/old"), file("e", "x")],
          upper,
        ),
      ).toEqual([
        "d directory 700 3:0",
        'd/new file 644 0:0 "x"',
        "d/s directory 755 0:0",
        'd/s/new file 644 0:0 "x"',
        'e file 644 0:0 "x"',
      ]);
    },
  );

  it("works through links among the folders, and on a link itself not through it", async () => {
    expect(
      await guest(
        [dir("real"), file("real/a"), file("real/b", "x"), soft("l", "real"), soft("m", "real")],
        [gone("l/.wh.a"), gone(".wh.m")],
      ),
    ).toEqual(['l symlink 777 0:0 "real"', "real directory 755 0:0", 'real/b file 644 0:0 "x"']);
  });

  it("brings back in a third layer what the second deleted", async () => {
    expect(await guest([file("d/a", "1")], [gone(".wh.d")], [file("d/b", "2")])).toEqual([
      "d directory 755 0:0",
      'd/b file 644 0:0 "2"',
    ]);
  });

  it("empties the root when it is opaque, and takes AUFS's bookkeeping for nothing", async () => {
    expect(
      await guest([file("a"), file("b/c")], [gone(".wh..wh..opq"), gone(".wh..wh.plnk/9.1"), file("d", "x")]),
    ).toEqual(['d file 644 0:0 "x"']);
  });

  it.each([".wh.", ".wh..", ".wh..."])("refuses the whiteout %s, which names nothing", async (name) => {
    await expect(guest([file("a")], [gone(name)])).rejects.toThrow(code("BP-IMAGE-011"));
  });
});

describe("names and numbers that no guest can have are refused", () => {
  it.each([
    ["..", file("../x")],
    [".. further in", file("a/../../x")],
    [".. at the end", dir("a/..")],
    ["a name of 256 bytes", file("n", "x", { pax: { path: "n".repeat(256) } })],
    ["a path of 4096 bytes", file("n", "x", { pax: { path: "n/".repeat(2048) + "n" } })],
    ["a NUL", file("n", "x", { pax: { path: "a\0b" } })],
    ["a root that is a file", file("./")],
    ["a symbolic link to nothing at all", soft("a", "")],
  ])("refuses %s", async (_what, entry) => {
    await expect(guest([entry])).rejects.toThrow(code("BP-IMAGE-011"));
  });

  it.each([
    ["a file of 4 GiB", "BP-IMAGE-010", file("a", "", { size: 2 ** 32 })],
    ["an owner beyond 32 bits", "BP-IMAGE-015", file("a", "", { pax: { uid: "4294967296" } })],
    ["an unknown type", "BP-IMAGE-013", { name: "a", type: "Z" }],
  ])("refuses %s", async (_what, expected, entry) => {
    await expect(guest([entry])).rejects.toThrow(code(expected));
  });
});
