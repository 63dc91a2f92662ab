import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DirectoryObjects } from "./directory-objects.ts";
import { writeFileAtomic } from "./durable.ts";
import { scratch, work } from "./processes.testing.ts";
import { Refs } from "./refs.ts";
import { StoreError } from "./store-error.ts";

describe("objects: a log's published tile must never change", () => {
  it("takes the same bytes twice and refuses others", async () => {
    const root = await scratch();
    const objects = await DirectoryObjects.open(root);
    await objects.putImmutable("tile/0/x001/067", utf8("hashes"));
    await objects.putImmutable("tile/0/x001/067", utf8("hashes"));
    await expect(objects.putImmutable("tile/0/x001/067", utf8("hasheS"))).rejects.toMatchObject({
      code: "BP-STORE-007",
      file: join(root, "tile/0/x001/067"),
      found: "6 bytes that differ at offset 5",
    });
    expect(await objects.get("tile/0/x001/067")).toEqual(utf8("hashes"));
    expect((await stat(join(root, "tile/0/x001/067"))).mode & 0o222).toBe(0);
  });

  it("lets one of two processes win that write different bytes at once", async () => {
    const root = await scratch();
    const texts = ["one", "two", "three"];
    const outcomes = await Promise.all(
      texts.map((text) => work<{ created?: string; code?: string }>("create-object", root, text)),
    );
    const winners = outcomes.filter(({ created }) => created !== undefined);
    expect(winners).toHaveLength(1);
    expect(outcomes.filter(({ code }) => code === "BP-STORE-007")).toHaveLength(2);
    expect(await readFile(join(root, "one/object"), "utf8")).toBe(winners[0]!.created);
  });

  it("lets no replacement come late: the one that was overtaken fails, whenever it wakes", async () => {
    const root = await scratch();
    const [slow, quick] = await Promise.all([DirectoryObjects.open(root), DirectoryObjects.open(root)]);
    const asleep = Promise.withResolvers<undefined>();
    const ready = Promise.withResolvers<undefined>();
    const late = slow.putMutable("checkpoint", utf8("older"), async () => {
      ready.resolve(undefined);
      await asleep.promise;
    });
    await ready.promise;
    await quick.putMutable("checkpoint", utf8("newer"), () => Promise.resolve());
    asleep.resolve(undefined);
    await expect(late).rejects.toThrow(StoreError);
    const refused = slow.putMutable("checkpoint", utf8("older"), () => Promise.reject(new Error("no")));
    await expect(refused).rejects.toThrow("no");
    expect(await slow.get("checkpoint")).toEqual(utf8("newer"));
    expect(await readdir(root)).toEqual(["checkpoint"]);
  });

  it("removes a folder only when it holds nothing, and puts objects there again later", async () => {
    const root = await scratch();
    const objects = await DirectoryObjects.open(root);
    await objects.putImmutable("tile/0/000.p/1", utf8("1"));
    await objects.removeEmptyFolder("tile/0/000.p");
    expect(await objects.list("tile/0/000.p/")).toEqual(["tile/0/000.p/1"]);
    await objects.delete("tile/0/000.p/1");
    await objects.removeEmptyFolder("tile/0/000.p");
    await objects.removeEmptyFolder("tile/0/000.p");
    expect(await readdir(join(root, "tile/0"))).toEqual([]);
    await objects.putImmutable("tile/0/000.p/2", utf8("2"));
    expect(await objects.list()).toEqual(["tile/0/000.p/2"]);
  });

  it("replaces a mutable object whole, leaving no temporary file", async () => {
    const root = await scratch();
    const objects = await DirectoryObjects.open(root);
    await objects.putMutable("checkpoint", utf8("size 1"));
    await objects.putMutable("checkpoint", utf8("size 2"));
    expect(await objects.get("checkpoint")).toEqual(utf8("size 2"));
    expect(await readdir(root)).toEqual(["checkpoint"]);
    await objects.delete("checkpoint");
    await objects.delete("checkpoint");
    expect(await objects.get("checkpoint")).toBeUndefined();
  });

  it("lists by prefix, in order, without temporary files", async () => {
    const root = await scratch();
    const objects = await DirectoryObjects.open(root);
    for (const key of ["b/2", "b/1", "a", "bc"]) await objects.putMutable(key, utf8(key));
    await writeFile(join(root, "b", ".tmp-1-x"), "");
    expect(await objects.list()).toEqual(["a", "b/1", "b/2", "bc"]);
    expect(await objects.list("b")).toEqual(["b/1", "b/2", "bc"]);
    expect(await objects.list("b/")).toEqual(["b/1", "b/2"]);
    expect(await objects.list("none/")).toEqual([]);
    await expect(objects.list("../")).rejects.toMatchObject({ code: "BP-STORE-008" });
  });

  it.each([
    "",
    "/etc/passwd",
    "..",
    "a/../b",
    "a//b",
    "a/",
    "./a",
    ".hidden",
    "a/.tmp-1",
    "a\0b",
    "a\nb",
    "a\\b",
    "é",
    "-rf",
    "x".repeat(201),
  ])("refuses %j as a key", async (key) => {
    const objects = await DirectoryObjects.open(await scratch());
    await expect(objects.putMutable(key, utf8(""))).rejects.toMatchObject({ code: "BP-STORE-008" });
    await expect(objects.putImmutable(key, utf8(""))).rejects.toMatchObject({ code: "BP-STORE-008" });
    await expect(objects.get(key)).rejects.toMatchObject({ code: "BP-STORE-008" });
  });

  it("never reaches outside its root, whatever the key", async () => {
    const root = await scratch();
    const objects = await DirectoryObjects.open(join(root, "inside"));
    await writeFile(join(root, "secret"), "secret");
    const piece = fc.constantFrom("..", ".", "/", "inside", "secret", "a", "%2e", "\\");
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 5 }), fc.constantFrom("", "/"), async (pieces, joint) => {
        const found = await objects.get(pieces.join(joint)).catch((error: unknown) => {
          if (error instanceof StoreError) return undefined;
          throw error;
        });
        expect(found).toBeUndefined();
      }),
    );
  });
});

describe("refs: a build finds what was built before", () => {
  it("remembers, replaces, lists and forgets", async () => {
    const refs = await Refs.open(await scratch());
    await refs.set("actions/abc", "one");
    await refs.set("actions/abc", "two");
    await refs.set("roots/x", "three");
    expect(await refs.get("actions/abc")).toBe("two");
    expect(await refs.list("actions/")).toEqual(["actions/abc"]);
    await refs.delete("actions/abc");
    expect(await refs.get("actions/abc")).toBeUndefined();
    await expect(refs.set("x", "y".repeat(70_000))).rejects.toMatchObject({ code: "BP-STORE-006" });
  });
});

describe("writeFileAtomic", () => {
  it("makes the directory, replaces the file and keeps the mode of a private key", async () => {
    const path = join(await scratch(), "new", "keys", "publisher.key");
    await writeFileAtomic(path, utf8("old"), 0o600);
    await writeFileAtomic(path, utf8("new"), 0o600);
    expect(await readFile(path, "utf8")).toBe("new");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("names the file when a directory is in the way", async () => {
    const root = await scratch();
    await writeFileAtomic(join(root, "a", "b"), utf8(""));
    await expect(writeFileAtomic(join(root, "a"), utf8(""))).rejects.toMatchObject({
      name: "StoreError",
      file: join(root, "a"),
    });
    await rename(join(root, "a"), join(root, "c"));
    expect(await readdir(root)).toEqual(["c"]);
  });
});
