import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

describe("a log that is frozen, and the one that goes on from it", () => {
  let folder: string;
  let old: string;
  let next: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = await scratchFolder();
    env = { XDG_CONFIG_HOME: join(folder, "config") };
    [old, next] = [join(folder, "old"), join(folder, "next")];
    await run(["log", "init", "--log", old, "--origin", "example.org/old"]);
    for (const name of ["a", "b", "c"]) await writeFile(join(folder, name), name);
    await run(["log", "add", join(folder, "a"), join(folder, "b"), "--log", old]);
  });

  const init = (log: string, ...argv: string[]): ReturnType<typeof run> =>
    run(["log", "init", "--log", log, "--continues", old, ...argv], env);

  it("is continued only once it takes no more entries", async () => {
    const early = await init(next, "--origin", "example.org/next");
    expect([early.exit, early.stderr]).toEqual([64, expect.stringContaining("BP-LOG-046")]);
    const before = join(folder, "before");
    await cp(old, before, { recursive: true });
    const frozen = await run(["log", "freeze", "--log", old]);
    expect(frozen).toMatchObject({ exit: 0, stdout: await readFile(join(old, "checkpoint"), "utf8") });
    expect(frozen.stdout).toMatch(/^example\.org\/old\n2\n/);
    const late = await run(["log", "add", join(folder, "c"), "--log", old]);
    expect([late.exit, late.stderr]).toEqual([
      expect.any(Number) as number,
      expect.stringMatching(/frozen[^]*hint: /),
    ]);
    expect(late.exit).not.toBe(0);
    expect((await run(["log", "freeze", "--log", old])).exit).toBe(0);
    expect((await run(["log", "audit", "--log", old])).exit).toBe(0);
    expect((await run(["log", "proof", "1", "--log", old])).exit).toBe(0);
  });

  it("is fixed by the first entry of its successor, which audits and inspections tell", async () => {
    expect(await init(next, "--origin", "example.org/next")).toMatchObject({ exit: 0 });
    expect((await run(["log", "add", join(folder, "c"), "--log", next])).stdout).toMatch(/^1 /);
    const { exit, stdout } = await run(["log", "audit", "--log", next, "--continues", old, "--json"]);
    expect(exit).toBe(0);
    const { continues } = JSON.parse(stdout) as { continues: object };
    expect(continues).toMatchObject({ origin: "example.org/old", size: 2 });
    const proof = join(folder, "first.tlog-proof");
    await run(["log", "proof", "0", "--log", next, "--out", proof]);
    const inspected = await run(["inspect", proof]);
    expect(inspected.stdout).toMatch(/continues +example\.org\/old\nat size +2\n/);
    expect((await init(next)).exit).toBe(74);
  });

  it("says no when the old log ends elsewhere than its successor says", async () => {
    const shown = await run(["log", "audit", "--log", next, "--continues", join(folder, "before")]);
    expect(shown).toMatchObject({ exit: 0 });
    const other = join(folder, "other");
    await run(["log", "init", "--log", other, "--origin", "example.org/old"]);
    const answer = await run(["log", "audit", "--log", next, "--continues", other]);
    expect(answer.exit).toBe(1);
    expect((await run(["log", "audit", "--log", old, "--continues", next])).exit).toBe(64);
    // Whoever still has the old key can let the old log grow again, and shows by it that it is no longer the log.
    const thawed = join(folder, "thawed");
    await cp(join(`${old}.private`, "log.key"), join(folder, "stolen.key"));
    await run(["log", "init", "--log", thawed, "--key", `file:${join(folder, "stolen.key")}`]);
    await run(["log", "add", ...["a", "b", "c"].map((name) => join(folder, name)), "--log", thawed]);
    const grown = await run(["log", "audit", "--log", next, "--continues", thawed], {
      BOOTPROOF_STATE: join(folder, "fresh"),
    });
    expect([grown.exit, grown.stdout]).toEqual([1, expect.stringMatching(/does not end there[^]*size 3/)]);
  });

  it("goes on when its start was interrupted, and from a copy of the old log", async () => {
    const late = join(folder, "late");
    await run(["log", "init", "--log", late, "--origin", "example.org/late"]);
    expect(await init(late)).toMatchObject({ exit: 0, stderr: "" });
    expect(await init(late)).toMatchObject({ exit: 0, stderr: "" });
    const copy = join(folder, "copy");
    await cp(old, copy, { recursive: true });
    const from = join(folder, "from-copy");
    const said = await run(["log", "init", "--log", from, "--continues", copy], env);
    expect([said.exit, said.stderr]).toEqual([0, expect.stringContaining("cannot be seen from here")]);
    expect((await run(["log", "audit", "--log", from, "--continues", old])).exit).toBe(0);
  });
});
