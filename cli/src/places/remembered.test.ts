import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { utf8 } from "@bootproof/bytes";
import { ed25519Signer, formatCheckpoint, leafHash, signNote } from "@bootproof/log";
import { beforeAll, describe, expect, it } from "vitest";

import { run, type Caught } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { stateFolder } from "./state-folder.ts";

describe("where checkpoints are remembered", () => {
  it("is the user's to say, and never a relative path of somebody else's", () => {
    expect(stateFolder({ BOOTPROOF_STATE: "/s", XDG_STATE_HOME: "/x", HOME: "/h" })).toBe("/s");
    expect(stateFolder({ BOOTPROOF_STATE: "", XDG_STATE_HOME: "/x", HOME: "/h" })).toBe("/x/bootproof");
    expect(stateFolder({ XDG_STATE_HOME: "x", HOME: "/h" })).toBe("/h/.local/state/bootproof");
  });
});

describe("what was seen of a log", () => {
  let folder: string;
  let log: string;
  let state: string;
  const look = (place = log): Promise<Caught> =>
    run(["log", "checkpoint", "--log", place], { BOOTPROOF_STATE: state });
  beforeAll(async () => {
    folder = await scratchFolder();
    log = join(folder, "log");
    state = join(folder, "state");
    await run(["log", "init", "--log", log]);
    await writeFile(join(folder, "a"), "a");
    await run(["log", "add", join(folder, "a"), "--log", log]);
  });

  it("is said at first sight only, and written once", async () => {
    expect((await look()).stderr).toContain("first look at bootproof.local/log-");
    expect((await look()).stderr).not.toContain("first look");
    const [name = ""] = await readdir(join(state, "checkpoints"));
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(await readdir(join(state, "checkpoints", name))).toEqual(["0".repeat(19) + "1"]);
  });

  it("is kept apart for two logs of one name", async () => {
    const names = ["one", "two"].map((name) => join(folder, name));
    for (const name of names) {
      await run(["log", "init", "--log", name, "--origin", "example.org/same"]);
      expect((await look(name)).stderr).toContain("first look at example.org/same");
    }
    expect((await look(names[0])).exit).toBe(0);
  });

  it("holds for the log's next key too: a new key excuses no other tree", async () => {
    const name = "example.org/changes-key";
    const [old, next] = [1, 2].map((at) => ed25519Signer(name, new Uint8Array(32).fill(at)));
    const vkeys = join(folder, "both.vkey");
    await writeFile(vkeys, `${old!.vkey}\n${next!.vkey}\n`);
    const shown = join(folder, "shown");
    await mkdir(shown);
    const show = async (leaf: string, signer = old!): Promise<Caught> => {
      const checkpoint = formatCheckpoint({ origin: name, size: 1n, root: leafHash(utf8(leaf)) });
      await writeFile(join(shown, "checkpoint"), await signNote(checkpoint, [signer]));
      return run(["log", "checkpoint", "--log", shown, "--vkey", vkeys], { BOOTPROOF_STATE: state });
    };
    expect((await show("a")).stderr).toContain("first look");
    expect(await show("a", next)).toMatchObject({ exit: 0, stderr: "" });
    await rm(state, { recursive: true });
    await show("a");
    const forked = await show("b", next);
    expect(forked).toMatchObject({ exit: 1, stderr: expect.stringContaining("BP-LOG-031") as string });
    const [file = ""] = await readdir(join(state, "evidence"));
    const inspected = await run(["inspect", join(state, "evidence", file)]);
    expect(inspected).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining("these keys signed two trees") as string,
    });
  });

  it("is not overwritten by who cannot read it", async () => {
    const read = async (): Promise<Caught> =>
      run(["log", "checkpoint", "--log", log], { BOOTPROOF_STATE: other });
    const other = join(folder, "other");
    await read();
    const [name = ""] = await readdir(join(other, "checkpoints"));
    const file = join(other, "checkpoints", name, "0".repeat(19) + "1");
    await chmod(file, 0o644);
    await writeFile(file, (await readFile(file, "utf8")).slice(0, -1));
    expect(await read()).toMatchObject({ exit: 65, stderr: expect.stringContaining("BP-LOG-033") as string });
    expect(await readdir(join(other, "checkpoints", name))).toHaveLength(1);
  });

  it("may be a place where nothing can be kept, which is said and not more", async () => {
    const nowhere = join(folder, "a");
    const outcome = await run(["log", "checkpoint", "--log", log], { BOOTPROOF_STATE: nowhere });
    expect(outcome).toMatchObject({
      exit: 0,
      stderr: expect.stringContaining("cannot be remembered") as string,
    });
  });
});
