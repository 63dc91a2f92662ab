import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { utf8 } from "@bootproof/bytes";
import { beforeEach, describe, expect, it } from "vitest";

import { openStoreAt } from "../releasing/published.testing.ts";
import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

interface Collected {
  readonly removed: number;
  readonly roots: number;
  readonly logs: number;
  readonly bytesFreed: number;
}

describe("store gc", () => {
  let store: string;
  let env: Record<string, string>;

  beforeEach(async () => {
    store = join(await scratchFolder(), "store");
    env = { BOOTPROOF_STORE: store };
    const { blobs, refs } = await openStoreAt(store);
    const { sha256 } = await blobs.put(utf8("needed"));
    await refs.set("action/x", sha256);
    for (const blob of [sha256, (await blobs.put(utf8("forgotten"))).sha256])
      await utimes(blobs.path(blob), new Date(0), new Date(0));
    await mkdir(join(store, "roots", "a".repeat(64)), { recursive: true });
    await mkdir(join(store, "logs"));
    for (const name of ["old.log", "new.log"]) await writeFile(join(store, "logs", name), "said\n");
    await utimes(join(store, "logs/old.log"), new Date(0), new Date(0));
  });

  const collect = async (...args: string[]): Promise<Collected> =>
    JSON.parse((await run(["store", "gc", ...args, "--json"], env)).stdout) as Collected;

  it("removes what nothing refers to and old logs, and keeps what builds remember and what is young", async () => {
    expect(await collect()).toMatchObject({ removed: 1, roots: 0, logs: 1, bytesFreed: 9 + 5 });
    expect(await collect()).toMatchObject({ removed: 0, roots: 0, logs: 0, bytesFreed: 0 });
    expect(await readdir(join(store, "logs"))).toEqual(["new.log"]);
  });

  it("--all removes everything, also what was made today", async () => {
    expect(await collect("--all")).toMatchObject({ removed: 2, roots: 1, logs: 2 });
    const { stdout } = await run(["store", "ls"], env);
    expect(stdout).toContain("0 blobs");
  });

  it("--all --older-than keeps what was used lately", async () => {
    expect(await collect("--all", "--older-than", "1")).toMatchObject({ removed: 2, roots: 0, logs: 1 });
  });
});
