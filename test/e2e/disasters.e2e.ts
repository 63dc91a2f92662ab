import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { bootproof, bootproofJson, type Failure, flipBit, scratch, writeProbe } from "./command.ts";
import { ANSWERS, bootproofWithoutApt, serveMirror } from "./mirror.ts";

interface Built {
  readonly artifacts: readonly { name: string; sha256: string; path: string }[];
  readonly actions: readonly { cached: boolean }[];
}

describe("inputs that are not what the lock names", () => {
  let folder: string;
  let recipe: string;
  let lock: string;
  const word = (): string => path.join(folder, "plain/word");

  beforeAll(async () => {
    folder = await scratch("disasters");
    recipe = await writeProbe(folder, {
      name: "plain",
      run: "tr a-z A-Z < /source/word > result",
      files: { word: "word\n" },
    });
    lock = recipe.replace(".recipe.", ".lock.");
    const built = await bootproof(["build", recipe]);
    expect(built.exitCode, built.stderr).toBe(0);
  });

  /** A copy of the probe's folder whose lock is edited. */
  async function withLock(name: string, edit: (lock: string) => string): Promise<string> {
    const copy = path.join(folder, name);
    await mkdir(copy);
    for (const file of ["plain.recipe.yaml", "word"])
      await copyFile(path.join(folder, "plain", file), path.join(copy, file));
    const text = await readFile(lock, "utf8");
    expect(edit(text)).not.toBe(text);
    await writeFile(path.join(copy, "plain.lock.yaml"), edit(text));
    return path.join(copy, "plain.recipe.yaml");
  }

  it("refuses a source with one flipped bit, also where it was built before, and names it with both digests", async () => {
    await flipBit(word(), 2);
    const { error } = await bootproofJson<Failure>(["build", recipe], 65);
    await flipBit(word(), 2);
    expect(error.code).toBe("BP-INPUT-002");
    expect(error.file).toBe(word());
    expect(error.expected).toMatch(/[0-9a-f]{64}/);
    expect(error.found).toMatch(/[0-9a-f]{64}/);
    expect(error.found).not.toBe(error.expected);
    expect(error.hint).toMatch(/bootproof lock/);
    expect((await bootproof(["build", recipe])).exitCode).toBe(0);
  });

  it("refuses what a lying mirror sends, names mirror and file, and keeps none of it", async () => {
    const liar = await serveMirror(lock, ANSWERS.lie);
    const store = path.join(folder, "lied-to");
    const outcome = await bootproofWithoutApt([
      "build",
      recipe,
      "--store",
      store,
      "--mirror",
      liar,
      "--json",
    ]);
    expect(outcome.exitCode, outcome.stdout + outcome.stderr).toBe(65);
    const { error } = JSON.parse(outcome.stdout) as Failure;
    expect(error.code).toBe("BP-INPUT-002");
    expect(error.message).toMatch(/_amd64\.deb/);
    expect(error.message).toContain(liar);
    expect(error.hint).toMatch(/--mirror/);
    // Only the source from beside the recipe may have come.
    const kept = await bootproofJson<{ blobs: { size: number }[] }>(["store", "ls", "--store", store], 0);
    expect(kept.blobs.filter(({ size }) => size !== 5)).toEqual([]);
    // The store is not spoiled: with an honest mirror beside the liar, and the liar still first, it builds.
    const honest = await serveMirror(lock, ANSWERS.truth);
    const mirrors = ["--mirror", liar, "--mirror", honest];
    const out = path.join(folder, "despite-the-liar");
    const built = await bootproofWithoutApt(["build", recipe, "--store", store, ...mirrors, "--out", out]);
    expect(built.exitCode, built.stderr).toBe(0);
    expect(await readFile(path.join(out, "result"), "utf8")).toBe("WORD\n");
    expect((await bootproof(["store", "verify", "--store", store])).exitCode).toBe(0);
  });

  it("says which input no mirror has any more, and whom it asked", async () => {
    const gone = await serveMirror(lock, ANSWERS.nothing);
    const store = path.join(folder, "gone");
    const outcome = await bootproofWithoutApt(["build", recipe, "--store", store, "--json"], {
      env: { BOOTPROOF_DEBIAN_MIRROR: gone },
    });
    expect(outcome.exitCode, outcome.stdout + outcome.stderr).toBe(69);
    const { error } = JSON.parse(outcome.stdout) as Failure;
    expect(error.code).toBe("BP-INPUT-001");
    expect(error.message).toMatch(/_amd64\.deb/);
    expect(error.message).toContain(gone);
    const none = await bootproofWithoutApt(["build", recipe, "--store", store]);
    expect(none.exitCode).toBe(69);
    expect(none.stderr).toMatch(/no mirror is known[^]*--mirror/);
    const offline = await bootproof(["build", recipe, "--store", store, "--offline"]);
    expect(offline.stderr).toMatch(/BP-INPUT-003/);
    // Years later the archive of old states still has it.
    const snapshot = await serveMirror(lock, ANSWERS.truth);
    const later = await bootproofWithoutApt(["build", recipe, "--store", store], {
      env: { BOOTPROOF_DEBIAN_MIRROR: gone, BOOTPROOF_DEBIAN_SNAPSHOT: snapshot },
    });
    expect(later.exitCode, later.stderr).toBe(0);
  });

  it("refuses a lock that was made for another recipe, and says what differs", async () => {
    const other = await withLock("other-lock", (text) => text.replace("- hostname", "- hostnamf"));
    const { error } = await bootproofJson<Failure>(["build", other], 78);
    expect(error.code).toBe("BP-LOCK-003");
    expect(JSON.stringify(error)).toMatch(/hostnam[ef]/);
    expect(error.hint).toMatch(/bootproof lock/);
    expect((await bootproof(["lock", other, "--check"])).exitCode).not.toBe(0);
  });

  it("names the input when its digest in the lock is not the mirror's", async () => {
    const forged = await withLock("forged-lock", (text) =>
      text.replace(/^( {2}- bash .* )[0-9a-f]{64} /m, `$1${"0".repeat(64)} `),
    );
    const { error } = await bootproofJson<Failure>(["build", forged], 65);
    expect(error.code).toBe("BP-INPUT-002");
    expect(error.message).toMatch(/^bash_/);
    expect(error.expected).toBe("0".repeat(64));
  });

  describe("in a damaged store", () => {
    let store: string;
    let result: string;
    const build = (...more: string[]): Promise<Built> =>
      bootproofJson<Built>(["build", recipe, "--store", store, ...more], 0);

    beforeAll(async () => {
      store = path.join(folder, "damaged");
      const mirror = await serveMirror(lock, ANSWERS.truth);
      const { artifacts } = await build("--mirror", mirror);
      result = artifacts[0]!.path;
    });

    it("an artifact that was changed is found and built again, not handed out", async () => {
      await flipBit(result, 0);
      const check = await bootproof(["store", "verify", "--store", store]);
      expect(check.exitCode).toBe(1);
      expect(check.stdout).toContain(result);
      const { actions } = await build("--offline");
      expect(actions.map(({ cached }) => cached)).toEqual([false]);
      expect(await readFile(result, "utf8")).toBe("WORD\n");
      expect((await bootproof(["store", "verify", "--store", store])).exitCode).toBe(0);
    });

    it("a program of the unpacked toolchain that was changed never runs", async () => {
      const { stdout } = await execa("find", [path.join(store, "roots"), "-path", "*/usr/bin/tr"]);
      const program = stdout.trim();
      const before = await readFile(program);
      await writeFile(program, "#!/bin/sh\necho evil\n");
      await build("--offline", "--no-cache");
      expect(await readFile(result, "utf8")).toBe("WORD\n");
      expect(before.equals(await readFile(program))).toBe(true);
    });

    it("a package with one flipped bit is not unpacked; its file is named, and deleting it mends the store", async () => {
      const [, hex = ""] = / coreutils .*([0-9a-f]{64})/.exec(await readFile(lock, "utf8")) ?? [];
      const blob = path.join(store, "blobs", hex.slice(0, 2), hex);
      await flipBit(blob, 100_000);
      for (const below of ["roots", "refs/root"]) await rm(path.join(store, below), { recursive: true });
      const { error } = await bootproofJson<Failure>(["build", recipe, "--store", store, "--no-cache"], 65);
      expect(error.code).toBe("BP-INPUT-007");
      expect(error.file).toBe(blob);
      expect(error.hint).toMatch(/delete this file/);
      await rm(blob);
      await build("--no-cache");
      expect(await readFile(result, "utf8")).toBe("WORD\n");
    });
  });
});
