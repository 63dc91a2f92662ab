import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

describe("key", () => {
  let folder: string;
  beforeAll(async () => (folder = await scratchFolder()));

  it("writes the private half for its owner only, and prints the public half only", async () => {
    const file = join(folder, "k");
    const made = await run(["key", "generate", "example.org/boot", "--out", file]);
    expect(made.exit).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    // Not what follows the last "+", which is a digit of base64 too.
    const secret = (await readFile(file, "utf8")).trim().slice(-40);
    expect(made.stdout + made.stderr).not.toContain(secret);
    expect(await run(["key", "show", file])).toMatchObject({ exit: 0, stdout: made.stdout });
    const shown = await run(["inspect", file]);
    expect(shown.stdout).toContain(made.stdout.trim());
    expect(shown.stdout).not.toContain(secret);
  });

  it("never overwrites a key, and never prints one", async () => {
    const file = join(folder, "twice");
    await run(["key", "generate", "example.org/boot", "--out", file]);
    expect((await run(["key", "generate", "example.org/boot", "--out", file])).exit).toBe(74);
    expect((await run(["key", "generate", "example.org/boot"])).exit).toBe(64);
    expect((await run(["key", "generate", "a name", "--out", join(folder, "x")])).exit).toBe(64);
  });

  it("says what is wrong with a broken key and does not quote it", async () => {
    const file = join(folder, "broken");
    await run(["key", "generate", "example.org/boot", "--out", file]);
    const secret = (await readFile(file, "utf8")).trim();
    await chmod(file, 0o600);
    await writeFile(file, `${secret.slice(0, -6)}\n`);
    const { exit, stderr } = await run(["key", "show", file]);
    expect(exit).toBe(65);
    expect(stderr).toContain(file);
    expect(stderr).not.toContain(secret.slice(-30, -6));
  });

  it("says that it is a key that cannot be read, and what to do", async () => {
    const absent = await run(["key", "show", join(folder, "absent")]);
    expect(absent.exit).toBe(66);
    expect(absent.stderr).toMatch(/no such key file[^]*hint:.*bootproof key generate/);
    const directory = await run(["key", "show", folder]);
    expect(directory.exit).toBe(66);
    expect(directory.stderr).toMatch(/is a folder, not a key file[^]*hint:/);
  });
});
