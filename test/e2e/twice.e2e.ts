import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bootproof, ROOT, scratch, writeProbe } from "./command.ts";

describe("build --twice: a build that only repeats on one machine must be caught before it is released", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await scratch("twice");
  });

  it("says IDENTICAL for a build that depends on nothing, and again after a comment was edited", async () => {
    const recipe = await writeProbe(folder, { name: "same", run: "echo same > result" });
    const first = await bootproof(["build", recipe, "--twice"]);
    expect(first.exitCode, first.stderr).toBe(0);
    expect(first.stdout).toMatch(/IDENTICAL/);
    await writeFile(recipe, `# a comment\n${await readFile(recipe, "utf8")}`);
    const second = await bootproof(["build", recipe, "--twice"]);
    expect(second.exitCode, second.stderr).toBe(0);
    expect(second.stdout).toMatch(/IDENTICAL/);
  });

  it.each([
    ["random bytes", "echo fixed > result; head -c 8 /dev/urandom >> result"],
    ["the build path", "pwd > result"],
    ["the number of processors", "nproc > result"],
    ["the host's name", "hostname > result"],
    ["the time", "date +%Y > result"],
    ["the time zone", "date +%Z > result"],
    ["the umask", "touch x; stat -c %a x > result"],
    ["the user", "id -u > result"],
    ["the order of a directory", "mkdir d; for i in $(seq 50); do : > d/$i; done; ls -U d > result"],
  ])("says DIVERGED, and at which byte, for a build that leaks %s", async (name, run) => {
    const recipe = await writeProbe(folder, { name: name.replaceAll(/[^a-z]+/g, "-"), run });
    const built = await bootproof(["build", recipe, "--twice"]);
    expect(built.exitCode, built.stderr).toBe(1);
    expect(built.stdout).toMatch(/DIVERGED/);
    expect(built.stdout).toMatch(/result.*0x[0-9a-f]+/s);
  });

  it("rebuilds the whole guest IDENTICAL: firmware, kernel and initrd", async () => {
    const built = await bootproof([
      "build",
      path.join(ROOT, "boot/recipes/snp-guest.recipe.yaml"),
      "--twice",
    ]);
    expect(built.exitCode, built.stderr).toBe(0);
    expect(built.stdout).toMatch(/IDENTICAL/);
    expect(built.stdout).not.toMatch(/DIVERGED/);
  });
});
