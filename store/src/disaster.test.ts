import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { canMount, collect, scratch, startWork, work, workOnTmpfs } from "./processes.testing.ts";
import { systemError, type StoreErrorCode } from "./store-error.ts";

/** A report of the worker. */
interface Report {
  readonly code?: StoreErrorCode;
  readonly message?: string;
  readonly file?: string;
  readonly hint?: string;
  readonly stored?: boolean;
}

const mounts = await canMount();
// Said aloud, because a skipped test looks like a passed one.
if (!mounts)
  console.warn("skipping the full disk and the read-only disk: no user namespaces with mount here");

describe("disasters: half-written files must never pass for whole ones", () => {
  it("keeps nothing of a stream whose process was killed, and works on", async () => {
    const root = await scratch();
    const child = startWork("stream-forever", root);
    await once(child.stdout!, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const blobs = await DirectoryBlobs.open(root);
    expect(await collect(blobs.list())).toEqual([]);
    const left = await readdir(join(root, "blobs"));
    expect(left).toHaveLength(1);
    expect(left[0]).toMatch(/^\.tmp-/);
    expect(await blobs.removeStaleTemporaries(0)).toBe(1);
    expect(await blobs.verify()).toEqual({ checked: 0, corrupt: [] });
  });

  it("lets four processes put the same blobs at once", async () => {
    const root = await scratch();
    const reports = await Promise.all(
      [1, 2, 3, 4].map(() => work<{ names: string[] }>("put-shared", root, "40")),
    );
    for (const report of reports) expect(report.names).toEqual(reports[0]!.names);
    const blobs = await DirectoryBlobs.open(root);
    expect(await blobs.verify()).toEqual({ checked: 40, corrupt: [] });
    expect((await readdir(join(root, "blobs"))).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it.skipIf(!mounts)("says that the disk is full, which file, and what to do", async () => {
    const root = await scratch();
    const small = await workOnTmpfs<Report>("size=1m", "put-large", root, "100000");
    expect(small).toEqual({ stored: true });
    const large = await workOnTmpfs<Report>("size=1m", "put-large", root, "4000000");
    expect(large).toMatchObject({ code: "BP-STORE-001" });
    expect(large.message).toContain("no space left");
    expect(large.file).toContain(root);
    expect(large.hint).toContain("BOOTPROOF_STORE");
  });

  it.skipIf(!mounts)("says that the disk is read-only", async () => {
    const report = await workOnTmpfs<Report>("ro", "put-large", await scratch(), "1");
    expect(report).toMatchObject({ code: "BP-STORE-003" });
    expect(report.message).toContain("read-only");
  });

  it.each([
    ["ENOSPC", "BP-STORE-001"],
    ["EDQUOT", "BP-STORE-001"],
    ["EIO", "BP-STORE-002"],
    ["EACCES", "BP-STORE-003"],
    ["EPERM", "BP-STORE-003"],
    ["EROFS", "BP-STORE-003"],
    ["ENOENT", "BP-STORE-009"],
    ["EMFILE", "BP-STORE-010"],
  ])("names file and cause of %s", (errno, code) => {
    const cause = Object.assign(new Error(`${errno}: detail`), { code: errno });
    const error = systemError("write", "/store/blobs/x", cause);
    expect(error).toMatchObject({ code, file: "/store/blobs/x", cause });
    expect(error.message).toMatch(/^cannot write \/store\/blobs\/x: ./);
  });

  it("refuses a folder that its file system will never make, instead of trying for ever", async () => {
    await expect(DirectoryBlobs.open("/proc/nope/store")).rejects.toThrow(
      /cannot make directory \/proc\/nope/,
    );
  });
});
