import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWorkFolder, removeFolder, removeStaleFolders } from "./work-folder.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "bootproof-work-"));
});
afterEach(() => rmSync(parent, { recursive: true }));

/** The name that another owner's folder would have. */
async function nameWith(change: { place?: string; pid?: string; started?: string }): Promise<string> {
  const own = await makeWorkFolder(parent);
  const [place, pid, started, chance] = basename(own).split("-");
  rmSync(own, { recursive: true });
  return [change.place ?? place, change.pid ?? pid, change.started ?? started, chance].join("-");
}

function makeOld(name: string): void {
  mkdirSync(join(parent, name));
  const longAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
  utimesSync(join(parent, name), longAgo, longAgo);
}

describe("work folders", () => {
  it("of a process that lives are left alone", async () => {
    const own = await makeWorkFolder(parent);
    expect(await removeStaleFolders(parent)).toBe(0);
    expect(readdirSync(parent)).toEqual([basename(own)]);
  });

  it("of a process that is gone are removed", async () => {
    const { pid } = spawnSync("true");
    mkdirSync(join(parent, await nameWith({ pid: String(pid) })));
    expect(await removeStaleFolders(parent)).toBe(1);
    expect(readdirSync(parent)).toEqual([]);
  });

  it("of a process whose id another has now are removed", async () => {
    mkdirSync(join(parent, await nameWith({ started: "1" })));
    expect(await removeStaleFolders(parent)).toBe(1);
  });

  it("of another machine or boot are left for a day, then removed", async () => {
    const name = await nameWith({ place: "0123456789ab" });
    mkdirSync(join(parent, name));
    expect(await removeStaleFolders(parent)).toBe(0);
    rmSync(join(parent, name), { recursive: true });
    makeOld(name);
    expect(await removeStaleFolders(parent)).toBe(1);
  });

  it("are told from everything else in the same place", async () => {
    makeOld("f".repeat(64));
    writeFileSync(join(parent, "notes"), "mine");
    expect(await removeStaleFolders(parent)).toBe(0);
  });

  it("are removed with folders that nobody may write to", async () => {
    const folder = await makeWorkFolder(parent);
    mkdirSync(join(folder, "a/b/c"), { recursive: true });
    spawnSync("chmod", ["-R", "a-w", join(folder, "a")]);
    await removeFolder(folder);
    expect(readdirSync(parent)).toEqual([]);
  });

  it("need not exist for there to be nothing to remove", async () => {
    expect(await removeStaleFolders(join(parent, "absent"))).toBe(0);
  });
});
