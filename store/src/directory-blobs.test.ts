import { chmod, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DirectoryBlobs, type ExpectedBlob } from "./directory-blobs.ts";
import { collect, scratch } from "./processes.testing.ts";

const hex = (bytes: Uint8Array): string => formatHex(sha256(bytes));

async function* pieces(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

/** Files under the blobs directory, temporary ones included. */
const files = async (root: string): Promise<string[]> =>
  (await readdir(join(root, "blobs"), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

describe("blobs: what was stored must come back, or not at all", () => {
  it("gives back any bytes, whichever way they were put", async () => {
    const root = await scratch();
    const blobs = await DirectoryBlobs.open(root);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.nat(3000), async (bytes, cut) => {
        const blob = { sha256: hex(bytes), size: bytes.length };
        const file = join(root, "source");
        await writeFile(file, bytes);
        expect(await blobs.put(bytes)).toEqual(blob);
        expect(await blobs.putStream(pieces(bytes.subarray(0, cut), bytes.subarray(cut)))).toEqual(blob);
        expect(await blobs.putFile(file)).toEqual(blob);
        expect(await blobs.get(blob.sha256)).toEqual(bytes);
        expect(new Uint8Array(await readFile(blobs.path(blob.sha256)))).toEqual(bytes);
      }),
      { numRuns: 15 },
    );
    expect((await blobs.verify()).corrupt).toEqual([]);
  });

  it("leaves read-only files and no temporary ones", async () => {
    const root = await scratch();
    const blobs = await DirectoryBlobs.open(root);
    const { sha256: name } = await blobs.put(utf8("one"));
    expect(await files(root)).toEqual([name]);
    await expect(blobs.putFile(join(root, "absent"))).rejects.toMatchObject({ code: "BP-STORE-009" });
    expect(await files(root)).toEqual([name]);
  });

  it("keeps nothing of a stream that is not what the lock named", async () => {
    const root = await scratch();
    const blobs = await DirectoryBlobs.open(root);
    const bytes = utf8("a source archive");
    const right: ExpectedBlob = { sha256: hex(bytes), size: bytes.length };
    const refused: [ExpectedBlob, string][] = [
      [{ ...right, sha256: hex(utf8("another")) }, "BP-STORE-005"],
      [{ ...right, size: bytes.length - 1 }, "BP-STORE-005"],
      [{ ...right, size: bytes.length + 1 }, "BP-STORE-005"],
      [{ maxSize: bytes.length - 1 }, "BP-STORE-006"],
    ];
    for (const [expected, code] of refused)
      await expect(blobs.putStream(pieces(bytes), expected)).rejects.toMatchObject({ code });
    expect(await files(root)).toEqual([]);
    const exact: ExpectedBlob = { ...right, sha256: hex(bytes).toUpperCase(), maxSize: bytes.length };
    await expect(blobs.putStream(pieces(bytes), exact)).resolves.toMatchObject({ size: bytes.length });
  });

  it("keeps nothing of a stream that breaks off, and passes its error on", async () => {
    const root = await scratch();
    const blobs = await DirectoryBlobs.open(root);
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield* pieces(utf8("half"));
      throw new Error("connection reset");
    };
    await expect(blobs.putStream(broken())).rejects.toThrow("connection reset");
    expect(await files(root)).toEqual([]);
  });

  it("never returns a damaged blob, and names its file", async () => {
    const blobs = await DirectoryBlobs.open(await scratch());
    const good = await blobs.put(utf8("good"));
    const bad = await blobs.put(utf8("bad"));
    const file = blobs.path(bad.sha256);
    await chmod(file, 0o644);
    await writeFile(file, "bat");
    await expect(blobs.get(bad.sha256)).rejects.toMatchObject({
      code: "BP-STORE-004",
      file,
      expected: `sha256 ${bad.sha256}`,
      found: `sha256 ${hex(utf8("bat"))}`,
    });
    expect(await blobs.verify()).toEqual({ checked: 2, corrupt: [file] });
    expect(await blobs.get(good.sha256)).toEqual(utf8("good"));
    await blobs.delete(bad.sha256);
    expect(await blobs.get(bad.sha256)).toBeUndefined();
  });

  it("repairs a damaged blob when a stream or file brings the bytes again", async () => {
    const blobs = await DirectoryBlobs.open(await scratch());
    const { sha256: name } = await blobs.put(utf8("right"));
    await chmod(blobs.path(name), 0o644);
    await writeFile(blobs.path(name), "wrong");
    await blobs.putStream(pieces(utf8("right")));
    expect(await blobs.get(name)).toEqual(utf8("right"));
  });

  it("lists what is there and nothing else", async () => {
    const root = await scratch();
    const blobs = await DirectoryBlobs.open(root);
    const put = await Promise.all(["a", "b", "c"].map((text) => blobs.put(utf8(text))));
    await writeFile(join(root, "blobs", "README"), "not a blob");
    await writeFile(join(root, "blobs", put[0]!.sha256.slice(0, 2), ".tmp-1-x"), "not a blob");
    const listed = await collect(blobs.list());
    expect(listed).toEqual(put.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)));
  });

  it.each([
    "",
    "..",
    "../../etc/passwd",
    "A".repeat(64),
    "a".repeat(63),
    `${"a".repeat(64)}/`,
    `/${"a".repeat(63)}`,
  ])("refuses %j as a blob's name", async (name) => {
    const blobs = await DirectoryBlobs.open(await scratch());
    await expect(blobs.get(name)).rejects.toMatchObject({ code: "BP-STORE-008" });
    await expect(blobs.delete(name)).rejects.toMatchObject({ code: "BP-STORE-008" });
  });

  it("removes what a killed writer left once it is a day old, and not before", async () => {
    const root = await scratch();
    await DirectoryBlobs.open(root);
    const [fresh, stale] = [join(root, "blobs", ".tmp-1-fresh"), join(root, "blobs", ".tmp-1-stale")];
    await writeFile(fresh, "");
    await writeFile(stale, "");
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    await utimes(stale, twoDaysAgo, twoDaysAgo);
    await DirectoryBlobs.open(root);
    expect(await files(root)).toEqual([".tmp-1-fresh"]);
  });
});
