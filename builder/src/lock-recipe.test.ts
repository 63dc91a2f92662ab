import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fetchInputs, type FetchOptions } from "./inputs.ts";
import { lockRecipe, type LockOptions, type NewLock } from "./lock-recipe.ts";
import type { BuildingLock } from "./lock.ts";
import { formatLock, parseLock } from "./lock-text.ts";
import { loadLockedRecipe } from "./locked-recipe.ts";
import { TestMirror } from "./mirror-server.testing.ts";
import { writeLock } from "./recipe-files.ts";
import {
  debBytes,
  makeArchive,
  makeTestKey,
  type TestArchive,
  type TestKey,
} from "./signed-archive.testing.ts";

const ARCHIVE: TestArchive = {
  packages: {
    bash: { depends: "libc6" },
    gcc: { depends: "libc6 (>= 0.5)" },
    libc6: {},
    "libc-bin": { depends: "libc6" },
    libfaketime: { depends: "libc6" },
  },
  sources: { linux: "6.12.107-1" },
};
const RECIPE = `name: linux
version: "1"
source:
  - {debian: linux, version: 6.12.107-1}
  - {file: linux.config}
toolchain: {suite: trixie, packages: [gcc]}
steps: [{name: compile, run: make}]
outputs: {vmlinuz: {path: bzImage, kind: kernel}}
`;
const COMPOSING = `name: guest
version: "1"
components: {kernel: kernel/linux.recipe.yaml}
cmdline: quiet
outputs:
  vmlinuz: {from: kernel/vmlinuz, kind: kernel}
  cmdline: {kind: cmdline}
`;

let key: TestKey;
let folder: string;
let mirror: TestMirror;
let options: LockOptions;

beforeAll(async () => {
  key = await makeTestKey();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bootproof-lock-"));
  mirror = new TestMirror(await makeArchive(ARCHIVE, key));
  const url = await mirror.start();
  const store = join(folder, "store");
  await mkdir(store);
  options = {
    store,
    mirrors: [url],
    aptRoot: null,
    keys: [key.publicKey],
    at: new Date("2026-11-24T00:00:00Z"),
  };
  await write({
    "guest.recipe.yaml": COMPOSING,
    "kernel/linux.recipe.yaml": RECIPE,
    "kernel/linux.config": "CONFIG_64BIT=y\n",
  });
});
afterEach(async () => {
  await mirror.stop();
  await rm(folder, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
const at = (name: string): string => join(folder, name);
const lock = (name = "kernel/linux.recipe.yaml"): Promise<readonly NewLock[]> =>
  lockRecipe(at(name), options);
const writeAll = async (locks: readonly NewLock[]): Promise<void> => {
  for (const made of locks) await writeLock(made.path, made.lock);
};
const places = (): FetchOptions => ({ store: options.store, mirrors: options.mirrors, aptRoot: null });
const buildingLock = (made: NewLock | undefined): BuildingLock => made?.lock as BuildingLock;

describe("a lock", () => {
  it("names the closure with bash, libc-bin and libfaketime, the sources, the Release and what it was made for", async () => {
    const [made] = await lock();
    const { request, releases, packages, sources } = buildingLock(made);
    expect(request).toEqual({
      suite: "trixie",
      packages: ["gcc"],
      sources: ["debian linux 6.12.107-1 trixie", "file linux.config"],
    });
    expect(releases).toMatchObject([
      { suite: "trixie", date: "Sat, 21 Nov 2026 09:15:44 UTC", expired: false },
    ]);
    expect(packages.map(({ name }) => name)).toEqual(["bash", "gcc", "libc-bin", "libc6", "libfaketime"]);
    expect(packages[1]).toEqual({
      name: "gcc",
      version: "1",
      arch: "amd64",
      size: debBytes("gcc").length,
      sha256: formatHex(sha256(debBytes("gcc"))),
      path: "pool/main/g/gcc/gcc_1_amd64.deb",
    });
    expect(sources.map(({ name, origin }) => [name, origin.kind])).toEqual([
      ["linux.config", "file"],
      ["linux_6.12.107-1.tar.xz", "pool"],
    ]);
    expect(made).toMatchObject({ path: at("kernel/linux.lock.yaml"), warnings: [] });
  });

  it("is the same bytes when made again, also through another mirror", async () => {
    const [first] = await lock();
    const other = new TestMirror(await makeArchive({ ...ARCHIVE, byHash: false }, key));
    options = { ...options, mirrors: [await other.start()] };
    const [second] = await lock();
    await other.stop();
    expect(formatLock(second!.lock)).toBe(formatLock(first!.lock));
    expect(parseLock(formatLock(first!.lock), "x")).toEqual(first!.lock);
  });

  it("is enough to fetch every input", async () => {
    const [made] = await lock();
    const fetched = await fetchInputs(buildingLock(made), { ...places(), recipeFolder: at("kernel") });
    expect(fetched).toMatchObject({ inputs: 7, fetched: 7 });
  });

  it("warns when the mirror's Release has expired, and records it", async () => {
    mirror.files.set(
      "dists/trixie/InRelease",
      (await makeArchive({ ...ARCHIVE, validUntil: "Sun, 22 Nov 2026 00:00:00 UTC" }, key)).get(
        "dists/trixie/InRelease",
      )!,
    );
    const [made] = await lock();
    expect(made?.warnings).toEqual([
      "the Release of trixie was valid until Sun, 22 Nov 2026 00:00:00 UTC: the mirror is old",
    ]);
    expect(buildingLock(made).releases).toMatchObject([
      { expired: true, validUntil: "Sun, 22 Nov 2026 00:00:00 UTC" },
    ]);
  });

  it("is not made when a file of the recipe is absent", async () => {
    await rm(at("kernel/linux.config"));
    await expect(lock()).rejects.toThrow(
      expect.objectContaining({ code: "BP-RECIPE-006", file: at("kernel/linux.config") }),
    );
  });

  it("is not made when a source package has the name of another source", async () => {
    await write({
      "kernel/linux.recipe.yaml": RECIPE.replace("{file: linux.config}", "{file: x/linux_6.12.107-1.tar.xz}"),
      "kernel/x/linux_6.12.107-1.tar.xz": "",
    });
    await expect(lock()).rejects.toThrow(/two sources have the file name linux_6.12.107-1.tar.xz/);
  });
});

it("a file at a URL is fetched once to learn its size, and refused when its hash is another", async () => {
  const bytes = utf8("a patch");
  mirror.files.set("p.patch", bytes);
  const recipe = (hash: string): string =>
    RECIPE.replace("{file: linux.config}", `{url: "${options.mirrors![0]!}/p.patch", sha256: ${hash}}`);
  await write({ "kernel/linux.recipe.yaml": recipe(formatHex(sha256(bytes))) });
  const [made] = await lock();
  expect(buildingLock(made).sources).toContainEqual(expect.objectContaining({ name: "p.patch", size: 7 }));
  await write({ "kernel/linux.recipe.yaml": recipe("ab".repeat(32)) });
  await expect(lock()).rejects.toThrow(expect.objectContaining({ code: "BP-INPUT-002" }));
});

describe.skipIf(spawnSync("git", ["--version"]).status !== 0)("a git commit", () => {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", at("repo"), "-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        GIT_AUTHOR_DATE: "1700000000 +0000",
        GIT_COMMITTER_DATE: "1700000000 +0000",
        GIT_CONFIG_GLOBAL: "/dev/null",
      },
    }).trim();

  beforeEach(async () => {
    await write({ "repo/hello.c": "int main;\n" });
    git("init", "--quiet", "-b", "main");
    git("add", ".");
    git("commit", "--quiet", "-m", "one");
  });

  it("is a tar of the same bytes each time, known by its sha256", async () => {
    const commit = git("rev-parse", "HEAD");
    await write({
      "kernel/linux.recipe.yaml": RECIPE.replace(
        "{file: linux.config}",
        `{git: "file://${at("repo")}", commit: ${commit}}`,
      ),
    });
    const [made] = await lock();
    const source = buildingLock(made).sources.find(({ name }) => name === "repo.tar");
    expect(source).toMatchObject({ size: 10240, origin: { kind: "git", commit } });
    const store = at("other-store");
    await mkdir(store);
    await fetchInputs(buildingLock(made), { ...places(), store });
    const tar = execFileSync(
      "tar",
      ["-tvf", join(store, "blobs", source!.sha256.slice(0, 2), source!.sha256)],
      { encoding: "utf8", env: { PATH: process.env["PATH"], TZ: "UTC" } },
    );
    expect(tar).toMatch(/-rw-r--r-- root\/root +10 2023-11-14 22:13 repo\/hello\.c/);
  });

  it("that is not in the repository is named", async () => {
    await write({
      "kernel/linux.recipe.yaml": RECIPE.replace(
        "{file: linux.config}",
        `{git: "file://${at("repo")}", commit: ${"f".repeat(40)}}`,
      ),
    });
    await expect(lock()).rejects.toThrow(
      expect.objectContaining({ code: "BP-INPUT-004", expected: `commit ${"f".repeat(40)}` }),
    );
  });
});

describe("a composing recipe", () => {
  it("gets its components' locks with its own, which names them by hash", async () => {
    const locks = await lock("guest.recipe.yaml");
    expect(locks.map(({ path }) => path)).toEqual([at("kernel/linux.lock.yaml"), at("guest.lock.yaml")]);
    expect(locks[1]?.lock).toEqual({
      form: "composing",
      components: [{ name: "kernel", recipe: "kernel/linux.recipe.yaml", lock: locks[0]?.sha256 }],
      sources: [],
    });
    await writeAll(locks);
    const loaded = await loadLockedRecipe(at("guest.recipe.yaml"));
    expect(loaded.form === "composing" && loaded.components.get("kernel")?.lock.sha256).toBe(
      locks[0]?.sha256,
    );
  });

  it("that composes itself is refused", async () => {
    await write({
      "guest.recipe.yaml": COMPOSING.replace("kernel/linux.recipe.yaml", "other.recipe.yaml"),
      "other.recipe.yaml": COMPOSING.replace("kernel/linux.recipe.yaml", "guest.recipe.yaml"),
    });
    await expect(lock("guest.recipe.yaml")).rejects.toThrow(
      expect.objectContaining({
        code: "BP-RECIPE-005",
        message: expect.stringContaining("composes itself") as string,
      }),
    );
  });
});

describe("a recipe with its lock", () => {
  beforeEach(async () => {
    await writeAll(await lock("guest.recipe.yaml"));
  });
  const load = (name = "guest.recipe.yaml") => loadLockedRecipe(at(name));
  const refusal = (code: string, more: object = {}) =>
    expect.objectContaining({ name: "BuildError", code, ...more }) as Error;

  it("holds when a comment and a step of a component are edited", async () => {
    await write({ "kernel/linux.recipe.yaml": `# why\n${RECIPE.replace("run: make", "run: make -j2")}` });
    await expect(load()).resolves.toMatchObject({ form: "composing" });
  });

  it("does not when the recipe asks for more, and the lock says what", async () => {
    await write({ "kernel/linux.recipe.yaml": RECIPE.replace("[gcc]", "[gcc, make]") });
    await expect(load()).rejects.toThrow(
      refusal("BP-LOCK-003", { issues: ["package make: in the recipe, not in the lock"] }),
    );
  });

  it("does not when a component was locked again alone", async () => {
    const path = at("kernel/linux.lock.yaml");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("Date:", "Date:").replace("09:15:44", "09:15:45"));
    await expect(load()).rejects.toThrow(
      refusal("BP-LOCK-005", { hint: `lock it again: bootproof lock ${at("guest.recipe.yaml")}` }),
    );
  });

  it("does not without a lock, and the error says how to make one", async () => {
    await rm(at("kernel/linux.lock.yaml"));
    await expect(load()).rejects.toThrow(
      refusal("BP-LOCK-004", { hint: "make it with `bootproof lock RECIPE`" }),
    );
  });

  it("does not without a recipe, or with one that is no text", async () => {
    await expect(load("none.recipe.yaml")).rejects.toThrow(refusal("BP-RECIPE-004", { found: "ENOENT" }));
    await writeFile(at("kernel/linux.recipe.yaml"), Uint8Array.of(0xff, 0xfe));
    await expect(load()).rejects.toThrow(refusal("BP-RECIPE-001"));
    await expect(load("kernel/linux.yaml")).rejects.toThrow(refusal("BP-RECIPE-004"));
  });

  it("does not when a component lacks the output that is taken, or has it as another kind", async () => {
    await write({ "guest.recipe.yaml": COMPOSING.replace("kernel/vmlinuz", "kernel/vmlinux") });
    await expect(load()).rejects.toThrow(
      refusal("BP-RECIPE-005", {
        issues: ["output vmlinuz: component kernel has no output vmlinux; it has vmlinuz"],
      }),
    );
    await write({ "guest.recipe.yaml": COMPOSING.replace("kind: kernel", "kind: initrd") });
    await expect(load()).rejects.toThrow(
      refusal("BP-RECIPE-005", { issues: ["output vmlinuz: is initrd here, kernel in component kernel"] }),
    );
  });
});
