import { rename, utimes } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { collectGarbage } from "./garbage.ts";
import { collect, scratch, work } from "./processes.testing.ts";

const HOUR = 3600 * 1000;

/** Makes a blob look as if it was last put `ms` ago. */
async function age(blobs: DirectoryBlobs, sha256: string, ms: number): Promise<void> {
  const then = new Date(Date.now() - ms);
  await utimes(blobs.path(sha256), then, then);
}

describe("garbage collection: nothing that is needed may vanish", () => {
  it("removes what is both unreachable and old, and counts it", async () => {
    const blobs = await DirectoryBlobs.open(await scratch());
    const [needed, young, old] = await Promise.all(
      ["needed", "young", "old"].map((text) => blobs.put(utf8(text))),
    );
    await age(blobs, needed!.sha256, 2 * HOUR);
    await age(blobs, old!.sha256, 2 * HOUR);
    const result = await collectGarbage(blobs, new Set([needed!.sha256]), { olderThanMs: HOUR });
    expect(result).toEqual({ removed: 1, bytesFreed: 3 });
    expect(await Promise.all([needed, young, old].map((blob) => blobs.has(blob!.sha256)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("spares a blob that was put again, even with the same bytes", async () => {
    const blobs = await DirectoryBlobs.open(await scratch());
    const { sha256 } = await blobs.put(utf8("again"));
    await age(blobs, sha256, 2 * HOUR);
    await blobs.put(utf8("again"));
    expect(await collectGarbage(blobs, () => false, { olderThanMs: HOUR })).toEqual({
      removed: 0,
      bytesFreed: 0,
    });
  });

  it("spares a blob that was used meanwhile, and knows one that is not there", async () => {
    const blobs = await DirectoryBlobs.open(await scratch());
    const { sha256 } = await blobs.put(utf8("used"));
    await age(blobs, sha256, 2 * HOUR);
    expect(await blobs.touch(sha256)).toBe(true);
    expect((await collectGarbage(blobs, () => false, { olderThanMs: HOUR })).removed).toBe(0);
    await blobs.delete(sha256);
    expect(await blobs.touch(sha256)).toBe(false);
  });

  it("never takes away what another process has just put", async () => {
    const root = await scratch();
    const blobs = await DirectoryBlobs.open(root);
    const state = { running: true };
    const putting = work<{ lost: number }>("put-and-read", root, "400").finally(
      () => (state.running = false),
    );
    let removed = 0;
    while (state.running) removed += (await collectGarbage(blobs, new Set(), { olderThanMs: HOUR })).removed;
    expect(removed, "the collector must have met old blobs").toBeGreaterThan(0);
    expect(await putting).toEqual({ lost: 0 });
    expect((await blobs.verify()).corrupt).toEqual([]);
  });

  it("gives back what a killed collector had moved aside", async () => {
    const root = await scratch();
    const blobs = await DirectoryBlobs.open(root);
    const { sha256 } = await blobs.put(utf8("held"));
    await rename(blobs.path(sha256), join(root, "blobs", `.aside-${sha256}`));
    expect(await blobs.get(sha256)).toEqual(utf8("held"));
    await DirectoryBlobs.open(root);
    expect((await collect(blobs.list())).map((blob) => blob.sha256)).toEqual([sha256]);
  });
});
