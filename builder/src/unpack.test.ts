import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatHex, sha256 } from "@bootproof/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { debWith, type TestEntry } from "./deb.testing.ts";
import { buildMerkleTree } from "./merkle.ts";
import { readTree } from "./tree-on-disk.ts";
import type { Tree } from "./tree.ts";
import { unpackAll, type PackageFile, type UnpackOptions } from "./unpack.ts";

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bootproof-unpack-"));
  root = mkdtempSync(join(folder, "root-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function packageOf(name: string, ...entries: readonly TestEntry[]): PackageFile {
  const bytes = debWith(...entries);
  const path = join(folder, `${name}.deb`);
  writeFileSync(path, bytes);
  return { name, path, size: bytes.length, sha256: formatHex(sha256(bytes)) };
}

const unpack = (packages: readonly PackageFile[], options?: UnpackOptions): Promise<Tree> =>
  unpackAll(packages, root, options);

const many = (): PackageFile[] =>
  Array.from({ length: 12 }, (_, index) =>
    packageOf(
      `p${index}`,
      { name: "./usr/share/", type: "5" },
      { name: "./usr/share/licence", content: "the same in each" },
      { name: `./usr/bin/tool${index}`, content: `tool ${index}`, mode: 0o755 },
      { name: `./usr/bin/alias${index}`, type: "2", linkname: `/usr/bin/tool${(index + 1) % 12}` },
      { name: `./usr/lib/twin${index}`, type: "1", linkname: `./usr/bin/tool${index}` },
    ),
  );

describe("unpacking many packages", () => {
  it("gives one tree, whatever the order and the number of threads", async () => {
    const packages = many();
    const first = buildMerkleTree(await unpack(packages, { threads: 1 })).root;
    root = mkdtempSync(join(folder, "root-"));
    expect(buildMerkleTree(await unpack(packages.toReversed(), { threads: 3 })).root).toEqual(first);
  });

  it("leaves on disk what it says", async () => {
    const tree = await unpack(many());
    expect(buildMerkleTree(await readTree(root)).root).toEqual(buildMerkleTree(tree).root);
    expect(readlinkSync(join(root, "usr/bin/alias0"))).toBe("../../usr/bin/tool1");
    expect(readFileSync(join(root, "usr/lib/twin3"), "utf8")).toBe("tool 3");
    expect(lstatSync(join(root, "usr/lib/twin3")).nlink).toBe(2);
  });

  it("lets packages share directories and files that are the same", async () => {
    const tree = await unpack(many());
    expect(tree.get("usr/share/licence")).toMatchObject({ type: "file", size: 16 });
  });

  it("reports each package", async () => {
    const seen: string[] = [];
    await unpack(many(), { onUnpacked: (name, done, total) => seen.push(`${name} ${done}/${total}`) });
    expect(seen).toHaveLength(12);
    expect(seen.at(-1)).toMatch(/ 12\/12$/);
  });

  it.each<[string, TestEntry, TestEntry]>([
    ["different files", { name: "a", content: "1" }, { name: "a", content: "2" }],
    ["one file with two modes", { name: "a", content: "1" }, { name: "a", content: "1", mode: 0o755 }],
    ["different links", { name: "a", type: "2", linkname: "b" }, { name: "a", type: "2", linkname: "c" }],
    ["a file and a link", { name: "a" }, { name: "a", type: "2", linkname: "b" }],
    ["a directory and a link", { name: "a/", type: "5" }, { name: "a", type: "2", linkname: "b" }],
    ["a link and files below it", { name: "a", type: "2", linkname: "b" }, { name: "a/x" }],
    ["a file and files below it", { name: "a" }, { name: "a/x" }],
  ])("refuses packages that put %s at one path", async (_, one, other) => {
    await expect(
      unpack([packageOf("one", one), packageOf("other", other)], { threads: 1 }),
    ).rejects.toMatchObject({ code: "BP-ARCHIVE-009" });
  });

  it.each<[string, string, TestEntry]>([
    ["BP-ARCHIVE-005", "climbs", { name: "../x" }],
    ["BP-ARCHIVE-006", "links out of the root", { name: "x", type: "2", linkname: "../y" }],
    ["BP-ARCHIVE-007", "holds a device", { name: "x", type: "3" }],
    ["BP-ARCHIVE-008", "claims a huge file", { name: "x", claimedSize: 2 ** 32 }],
  ])("says %s for a package that %s", async (code, _, entry) => {
    const error: unknown = await unpack([packageOf("bad", entry)]).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: "BuildError", code });
    expect(String(error)).toContain("package bad");
  });

  it.each<[string, string, Uint8Array]>([
    ["BP-ARCHIVE-001", "is no archive", new Uint8Array(100)],
    ["BP-ARCHIVE-002", "has no members", new TextEncoder().encode("!<arch>\n")],
  ])("says %s for a package that %s", async (code, _, bytes) => {
    const path = join(folder, "bad.deb");
    writeFileSync(path, bytes);
    const file = { name: "bad", path, size: bytes.length, sha256: formatHex(sha256(bytes)) };
    await expect(unpack([file])).rejects.toMatchObject({ code });
  });

  it("refuses a package file that is no longer the one the lock names", async () => {
    const good = packageOf("good", { name: "a", content: "x" });
    writeFileSync(good.path, debWith({ name: "a", content: "y" }));
    await expect(unpack([good])).rejects.toMatchObject({
      code: "BP-INPUT-007",
      expected: `sha256 ${good.sha256}`,
    });
  });

  it("says that a package file has vanished from the store, not that the lock is wrong", async () => {
    const good = packageOf("good", { name: "a", content: "x" });
    rmSync(good.path);
    await expect(unpack([good])).rejects.toMatchObject({ code: "BP-INPUT-006", file: good.path });
  });

  it("says what the operating system refused, and where, across threads", async () => {
    const nowhere = join(folder, "nowhere");
    await expect(unpackAll([packageOf("good", { name: "a", content: "x" })], nowhere)).rejects.toMatchObject({
      code: "ENOENT",
      path: expect.stringContaining(nowhere) as string,
      syscall: expect.any(String) as string,
    });
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    const unpacking = unpack(many(), { threads: 1, signal: stop.signal, onUnpacked: () => stop.abort() });
    await expect(unpacking).rejects.toMatchObject({ name: "AbortError" });
  });
});
