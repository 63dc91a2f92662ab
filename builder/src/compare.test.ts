import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { firstDifference, utf8 } from "@bootproof/bytes";
import { DirectoryBlobs } from "@bootproof/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareArtifacts, findFirstDifference } from "./compare.ts";

let folder: string;
let blobs: DirectoryBlobs;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootproof-compare-"));
  blobs = await DirectoryBlobs.open(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("comparing artifacts", () => {
  it("says IDENTICAL when every byte agrees", async () => {
    const [a, b] = [await blobs.put(utf8("firmware")), await blobs.put(utf8("kernel"))];
    const { verdict, artifacts } = await compareArtifacts(blobs, { b, a }, { a, b });
    expect(verdict).toBe("IDENTICAL");
    expect(artifacts.map(({ name, difference }) => [name, difference])).toEqual([
      ["a", undefined],
      ["b", undefined],
    ]);
  });

  it("shows offset, both bytes and section of the first difference", async () => {
    const first = await blobs.put(utf8("firmware one"));
    const second = await blobs.put(utf8("firmware two"));
    const seen: unknown[] = [];
    const result = await compareArtifacts(blobs, { fd: first }, { fd: second }, (name, bytes, offset) => {
      seen.push([name, bytes.length, offset]);
      return "volume 1";
    });
    expect(result.verdict).toBe("DIVERGED");
    expect(result.artifacts[0]?.difference).toEqual({
      offset: 9,
      first: 0x6f,
      second: 0x74,
      section: "volume 1",
    });
    expect(seen).toEqual([["fd", 12, 9]]);
  });

  it("shows where the shorter one ends", async () => {
    const first = await blobs.put(utf8("abc"));
    const second = await blobs.put(utf8("abcd"));
    const result = await compareArtifacts(blobs, { x: first }, { x: second });
    expect(result.artifacts[0]?.difference).toEqual({
      offset: 3,
      first: undefined,
      second: 0x64,
      section: undefined,
    });
  });

  it("finds a difference beyond the first megabytes", async () => {
    const bytes = new Uint8Array(3 * 1024 * 1024 + 5);
    const first = await blobs.put(bytes);
    bytes[bytes.length - 1] = 1;
    const second = await blobs.put(bytes);
    expect(await findFirstDifference(blobs.path(first.sha256), blobs.path(second.sha256))).toEqual({
      offset: bytes.length - 1,
      first: 0,
      second: 1,
    });
  });

  it("finds the same place as comparing in memory", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), async (a, b) => {
        const [first, second] = [await blobs.put(a), await blobs.put(b)];
        const place = await findFirstDifference(blobs.path(first.sha256), blobs.path(second.sha256));
        expect(place?.offset).toBe(firstDifference(a, b));
      }),
      { numRuns: 30 },
    );
  });
});
