import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { DirectoryHead } from "./directory-head.ts";
import { FileLock } from "./file-lock.ts";
import { scratch, startWork, work } from "./processes.testing.ts";
import { StoreError } from "./store-error.ts";

describe("the writer's lock: two writers at once, or a log that no one may write to any more", () => {
  it("refuses a second process at once and is free the moment the first is killed", async () => {
    const root = await scratch();
    const first = startWork("hold-lock", root);
    const [line] = (await once(first.stdout!, "data")) as [Buffer];
    expect(JSON.parse(line.toString())).toEqual({ held: true });
    expect(await work("hold-lock", root)).toEqual({ held: false });
    const head = await DirectoryHead.open(root);
    expect(await head.lock()).toBeUndefined();
    first.kill("SIGKILL");
    await once(first, "exit");
    const lock = await head.lock();
    expect(lock).toBeDefined();
    expect(await work("hold-lock", root)).toEqual({ held: false });
    await lock?.release();
    await lock?.release();
    expect(await head.lock()).toBeDefined();
  });

  it("refuses also in the process that holds it", async () => {
    const root = await scratch();
    const [one, other] = await Promise.all([FileLock.take(`${root}/lock`), FileLock.take(`${root}/lock`)]);
    expect([one, other].filter((lock) => lock !== undefined)).toHaveLength(1);
  });

  it("says that it could not, rather than that it is held, when the folder is gone", async () => {
    await expect(FileLock.take(`${await scratch()}/none/lock`)).rejects.toThrow(StoreError);
  });
});
