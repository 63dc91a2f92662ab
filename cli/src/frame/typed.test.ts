import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import { commandName, shellWord, shownPath, typedHere } from "./typed.ts";

describe("the command that is printed for copying", () => {
  let clone: string;
  let called: string;
  beforeAll(async () => {
    clone = await scratchFolder();
    await mkdir(join(clone, "cli/bin"), { recursive: true });
    await mkdir(join(clone, "node_modules/.bin"), { recursive: true });
    await mkdir(join(clone, "usr bin"));
    await writeFile(join(clone, "cli/bin/bootproof"), "#!/bin/sh\n");
    await chmod(join(clone, "cli/bin/bootproof"), 0o755);
    called = join(clone, "node_modules/.bin/bootproof");
    await symlink("../../cli/bin/bootproof", called);
    await symlink("../cli/bin/bootproof", join(clone, "usr bin/bootproof"));
  });

  const nameFor = (env: Record<string, string>, cwd = clone): string => commandName({ env, cwd });

  it("is the path in a clone, also below npm, which has a PATH of its own", () => {
    const PATH = `${join(clone, "node_modules/.bin")}:/usr/bin`;
    expect(nameFor({ BOOTPROOF_COMMAND: "node_modules/.bin/bootproof", PATH })).toBe(
      "node_modules/.bin/bootproof",
    );
    expect(nameFor({ BOOTPROOF_COMMAND: called }, "/")).toBe(called.slice(1));
    expect(nameFor({ BOOTPROOF_COMMAND: called }, join(clone, "usr bin"))).toBe(called);
    expect(nameFor({ BOOTPROOF_COMMAND: "bootproof" }, join(clone, "cli/bin"))).toBe("./bootproof");
  });

  it("is the name where PATH leads to this very program, and not where it leads to another", async () => {
    expect(nameFor({ BOOTPROOF_COMMAND: called, PATH: `/usr/bin:${join(clone, "usr bin")}` })).toBe(
      "bootproof",
    );
    await mkdir(join(clone, "other"));
    await writeFile(join(clone, "other/bootproof"), "#!/bin/sh\n");
    const PATH = `${join(clone, "other")}:${join(clone, "usr bin")}`;
    expect(nameFor({ BOOTPROOF_COMMAND: called, PATH })).toBe("node_modules/.bin/bootproof");
    expect(nameFor({ PATH: "/usr/bin" })).toBe("bootproof");
  });

  it("survives a shell: spaces and quotes are quoted", () => {
    expect(nameFor({ BOOTPROOF_COMMAND: join(clone, "usr bin/bootproof") })).toBe("'usr bin/bootproof'");
    expect(shellWord("it's")).toBe(`'it'\\''s'`);
    expect(shownPath("/a", "/a/b/c")).toBe("b/c");
    expect(shownPath("/a/b", "/a/c")).toBe("/a/c");
  });

  it.each([
    ["make it: bootproof lock 'a b'", "make it: ./bp lock 'a b'"],
    [
      "bootproof --help lists the verbs, bootproof VERB --help one",
      "./bp --help lists the verbs, ./bp VERB --help one",
    ],
    ["a bug of bootproof; run again", "a bug of bootproof; run again"],
    ["bootproof wrote this", "bootproof wrote this"],
    ["/opt/bootproof lock, my-bootproof lock", "/opt/bootproof lock, my-bootproof lock"],
    ["bootproof locks", "bootproof locks"],
  ])("turns %j into %j", (text, typed) => {
    expect(typedHere(text, "./bp")).toBe(typed);
  });
});
