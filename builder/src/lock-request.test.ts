import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BuildError } from "./build-error.ts";
import type { Lock, LockedSource, SourceOrigin } from "./lock.ts";
import { checkLockMatches, findLockDifferences, hasMatchingLock, requestOf } from "./lock-request.ts";
import type { BuildingRecipe } from "./recipe.ts";
import { parseRecipe } from "./recipe-text.ts";

const TEXT = readFileSync(new URL("../vectors/building.recipe.yaml", import.meta.url), "utf8");
const recipe = (text = TEXT): BuildingRecipe => parseRecipe(text, "r") as BuildingRecipe;
const lock: Lock = {
  form: "building",
  request: requestOf(recipe()),
  releases: [],
  packages: [],
  sources: [],
};

it.each([
  ["a comment", "# Only the toolchain", "# Only  the toolchain"],
  ["a step", "make -j$(nproc)", "make"],
  ["an output", "kind: kernel", "kind: file"],
  ["the name and version", "name: linux-snp\nversion: 6.12.107", "name: other\nversion: '2'"],
  ["the environment", '"1700000000"', '"1"'],
  ["a platform", "vcpus: 4", "vcpus: 5"],
  ["the order of packages", "[bash, gcc]", "[gcc, bash]"],
])("changing %s keeps the lock", (_, from, to) => {
  const changed = TEXT.replace(from, to);
  expect(changed).not.toBe(TEXT);
  expect(findLockDifferences(recipe(changed), lock)).toEqual([]);
  expect(hasMatchingLock(recipe(changed), lock)).toBe(true);
});

it.each([
  [
    "a package",
    "[bash, gcc]",
    "[bash, clang]",
    ["package clang: in the recipe, not in the lock", "package gcc: in the lock, not in the recipe"],
  ],
  [
    "the suite",
    "{suite: trixie, packages",
    "{suite: sid, packages",
    ["toolchain: the recipe asks for suite sid, the lock has trixie"],
  ],
  [
    "a source's version",
    "6.12.107-1",
    "6.12.113-1",
    [
      "source debian linux 6.12.113-1 trixie: in the recipe, not in the lock",
      "source debian linux 6.12.107-1 trixie: in the lock, not in the recipe",
    ],
  ],
  [
    "a commit",
    "0123456789abcdef0123",
    "1123456789abcdef0123",
    [
      expect.stringContaining("in the recipe, not in the lock"),
      expect.stringContaining("git svsm.tar 0123456789abcdef0123"),
    ],
  ],
  [
    "a hash",
    "abab",
    "abac",
    [expect.stringContaining("url patch-1.tar.gz abac"), expect.stringContaining("url patch-1.tar.gz abab")],
  ],
])("changing %s names what differs", (_, from, to, differences) => {
  expect(findLockDifferences(recipe(TEXT.replace(from, to)), lock)).toEqual(differences);
});

it("the refusal names the differences and the command that mends them", () => {
  const changed = recipe(TEXT.replace("[bash, gcc]", "[bash]"));
  const check = () => checkLockMatches(changed, lock, "x.lock.yaml", "x.recipe.yaml");
  expect(check).toThrow(BuildError);
  expect(check).toThrow(
    expect.objectContaining({
      code: "BP-LOCK-003",
      issues: ["package gcc: in the lock, not in the recipe"],
      hint: "lock it again: bootproof lock x.recipe.yaml",
    }),
  );
});

it("a lock of the other form is no lock of the recipe", () => {
  expect(findLockDifferences(recipe(), { form: "composing", components: [], sources: [] })).toEqual([
    "the recipe is building, the lock is of a composing recipe",
  ]);
});

describe("a lock of an enclave recipe", () => {
  const SHA = "ab".repeat(32);
  const ENCLAVE = `name: app
version: "1"
cmdline: quiet
outputs:
  app.eif:
    kind: eif
    eif: {kernel: {file: bzImage}, ramdisks: [{image: app.tar}, {folder: rootfs, cmd: [/app]}, {url: "https://e.org/r", sha256: "${SHA}"}]}
`;
  const pinned = (origin: SourceOrigin, sha256 = SHA): LockedSource => ({
    name: "n",
    size: 1,
    sha256,
    origin,
  });
  const sources = [
    pinned({ kind: "file", path: "bzImage" }),
    pinned({ kind: "file", path: "app.tar" }),
    pinned({ kind: "folder", path: "rootfs" }),
    pinned({ kind: "url", url: "https://e.org/r" }),
  ];
  const differences = (changed: readonly LockedSource[], text = ENCLAVE): readonly string[] =>
    findLockDifferences(parseRecipe(text, "e.recipe.yaml"), {
      form: "composing",
      components: [],
      sources: changed,
    });

  it("answers it when every part is pinned, an image as a file or as a layout's folder", () => {
    expect(differences(sources)).toEqual([]);
    expect(differences(sources.with(1, pinned({ kind: "layout", path: "app.tar" })))).toEqual([]);
  });

  it("does not answer it when a part is another one, or its URL has another hash", () => {
    expect(differences(sources.slice(1))).toEqual(["source file bzImage: in the recipe, not in the lock"]);
    expect(
      differences(sources.with(3, pinned({ kind: "url", url: "https://e.org/r" }, "cd".repeat(32)))),
    ).toEqual([
      `source url ${SHA} https://e.org/r: in the recipe, not in the lock`,
      `source url ${"cd".repeat(32)} https://e.org/r: in the lock, not in the recipe`,
    ]);
    expect(differences(sources, ENCLAVE.replace("folder: rootfs", "folder: other"))).toEqual([
      "source folder other: in the recipe, not in the lock",
      "source folder rootfs: in the lock, not in the recipe",
    ]);
  });
});
