import fc from "fast-check";
import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { BuildError } from "./build-error.ts";
import { resolveClosure } from "./closure.ts";
import { readPackageIndex, type PackageIndex } from "./package-index.ts";
import { packagesText, type TestPackage } from "./signed-archive.testing.ts";

const indexOf = (packages: Readonly<Record<string, TestPackage>>): Promise<PackageIndex> =>
  readPackageIndex(pieces(packagesText(packages)));

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(utf8(text));
}

async function closure(packages: Readonly<Record<string, TestPackage>>, ...names: string[]): Promise<string> {
  return resolveClosure(await indexOf(packages), names)
    .map((entry) => entry.name)
    .join(" ");
}

describe("the closure", () => {
  it("follows Depends and Pre-Depends, and nothing that is only recommended or essential", async () => {
    const packages = {
      aa: { depends: "bb", preDepends: "cc", recommends: "dd" },
      bb: { depends: "ee" },
      cc: {},
      dd: {},
      ee: {},
      base: { essential: true },
    };
    expect(await closure(packages, "aa")).toBe("aa bb cc ee");
  });

  it("ends in a circle of dependencies, real or virtual", async () => {
    expect(await closure({ aa: { depends: "bb" }, bb: { depends: "aa" } }, "aa")).toBe("aa bb");
    expect(
      await closure({ aa: { depends: "virt" }, bb: { provides: "virt", depends: "aa, virt" } }, "aa"),
    ).toBe("aa bb");
  });

  it("takes the first alternative that can be had", async () => {
    const packages = { aa: { depends: "gone | bb (>= 2) | cc | dd" }, bb: {}, cc: {}, dd: {} };
    expect(await closure(packages, "aa")).toBe("aa cc");
  });

  it("takes an alternative that was asked for before the first one", async () => {
    const packages = { aa: { depends: "bb | cc" }, bb: {}, cc: {} };
    expect(await closure(packages, "aa")).toBe("aa bb");
    expect(await closure(packages, "aa", "cc")).toBe("aa cc");
  });

  it("takes the most important provider of a virtual package, then the first by name", async () => {
    const packages = {
      aa: { depends: "awk" },
      gawk: { provides: "awk", priority: "optional" },
      mawk: { provides: "awk", priority: "required" },
      nawk: { provides: "awk", priority: "required" },
    };
    expect(await closure(packages, "aa")).toBe("aa mawk");
    expect(await closure(packages, "aa", "gawk")).toBe("aa gawk");
  });

  it("holds versions of packages, and of what they provide, against the bound", async () => {
    const packages = {
      aa: { depends: "virt (>= 2)" },
      bb: { provides: "virt" },
      cc: { provides: "virt (= 1:1)" },
      dd: { provides: "virt (= 1)" },
    };
    expect(await closure(packages, "aa")).toBe("aa cc");
    expect(await closure({ aa: { depends: "bb (= 1~rc1)" }, bb: { version: "1~rc1" } }, "aa")).toBe("aa bb");
  });

  it("knows the newest of two versions", async () => {
    const text =
      packagesText({ aa: { version: "1.10" } }) + packagesText({ aa: { version: "1.9", depends: "gone" } });
    const [found] = resolveClosure(await readPackageIndex(pieces(text)), ["aa"]);
    expect(found?.version).toBe("1.10");
  });

  it("leaves packages of other architectures out", async () => {
    await expect(closure({ aa: { arch: "arm64" } }, "aa")).rejects.toThrow("package aa is not in the suite");
  });
});

it("a dependency that cannot be had is named, with who needs it and what is there", async () => {
  const packages = { aa: { depends: "bb" }, bb: { depends: "cc (>= 2) | gone" }, cc: { version: "1.5" } };
  await expect(closure(packages, "aa")).rejects.toThrow(
    expect.objectContaining({
      code: "BP-RESOLVE-003",
      message: "package bb needs cc (>= 2) | gone, which the suite does not have",
      found: "cc 1.5",
      hint: "needed by aa -> bb",
    }),
  );
});

it("a package that is asked for and not there is answered with the nearest, or with its providers", async () => {
  const packages = { bash: {}, mawk: { provides: "awk" } };
  await expect(closure(packages, "bahs")).rejects.toThrow(
    expect.objectContaining({ hint: "did you mean bash?" }),
  );
  await expect(closure(packages, "awk")).rejects.toThrow(
    expect.objectContaining({ code: "BP-RESOLVE-003", hint: "it is virtual; ask for one of mawk" }),
  );
});

it("any archive resolves to a set in which every dependency is met, or to an error, whatever the order of the index", async () => {
  const names = ["aa", "bb", "cc", "dd", "ee"];
  const dependency = fc.constantFrom(...names, "virt", "aa | bb", "cc (>= 2)", "virt (= 1) | dd");
  const entry = fc.record({
    depends: fc.array(dependency, { maxLength: 3 }).map((list) => list.join(", ")),
    provides: fc.constantFrom("", "virt", "virt (= 1)"),
    version: fc.constantFrom("1", "2"),
  });
  const archive = fc
    .tuple(entry, entry, entry, entry)
    .map((entries) => entries.map((item, index) => [names[index]!, item] as const));
  await fc.assert(
    fc.asyncProperty(archive, async (entries) => {
      const outcome = (list: typeof entries) =>
        closure(Object.fromEntries(list), "aa").catch((error: unknown) => {
          expect(error).toBeInstanceOf(BuildError);
          return "refused";
        });
      const found = await outcome(entries);
      expect(await outcome(entries.toReversed())).toBe(found);
      // What was chosen is an archive of its own that needs nothing else.
      const chosen = entries.filter(([name]) => found.split(" ").includes(name));
      if (found !== "refused") expect(await closure(Object.fromEntries(chosen), "aa")).toBe(found);
    }),
    { numRuns: 200 },
  );
});
