import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { expect, it } from "vitest";
import { BuildError } from "./build-error.ts";
import { readPackageIndex } from "./package-index.ts";
import { packagesText } from "./signed-archive.testing.ts";
import { findSources } from "./source-index.ts";

const PACKAGES = packagesText({
  bash: { depends: "libc6 (>= 2)", provides: "shell, sh (= 1)" },
  libc6: { priority: "required" },
});
const HASH = "0123456789abcdef".repeat(4);
const SOURCES = `Package: edk2
Version: 2025.02-8
Directory: pool/main/e/edk2
Checksums-Sha256:
 ${HASH} 2656 edk2_2025.02-8.dsc
 ${HASH} 29646336 edk2_2025.02.orig.tar.xz

`;

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(utf8(text));
}
const packages = (text: string) => readPackageIndex(once(text));
const sources = (text: string) =>
  findSources(once(text), [{ package: "edk2", version: "2025.02-8" }], "trixie");

it.each([
  ["a hash that is short", /SHA256: ./, "SHA256: "],
  ["no hash", /SHA256: .*\n/, ""],
  ["a file out of the pool", "pool/main/b/bash", "pool/main/../bash"],
  ["an absolute file", "pool/main/b/bash", "/main/b/bash"],
  ["a file elsewhere", "Filename: pool/", "Filename: http://other.example/pool/"],
  ["a negative size", "Size: ", "Size: -"],
  ["a version that is none", "Version: 1", "Version: one"],
  ["no name", /Package: bash\n/, ""],
  ["a name with a slash", "Package: bash", "Package: ba/sh"],
  ["provided names that make no sense", "shell, sh (= 1)", "shell | sh"],
])("a package with %s is refused", async (_, from, to) => {
  const changed = PACKAGES.replace(from, to);
  expect(changed).not.toBe(PACKAGES);
  await expect(packages(changed)).rejects.toThrow(ParseError);
});

it.each([
  ["a hash that is short", HASH, HASH.slice(1)],
  ["a file name that is a path", "edk2_2025.02.orig.tar.xz", "../edk2.tar.xz"],
  ["a folder out of the pool", "pool/main/e/edk2", "pool/../etc"],
  ["an absurd size", "29646336", "29646336000000000"],
  ["no .dsc among its files", "edk2_2025.02-8.dsc", "edk2_2025.02-8.ds"],
  ["no files", /Checksums-Sha256:[^]*/, ""],
])("a source package with %s is refused", async (_, from, to) => {
  const changed = SOURCES.replace(from, to);
  expect(changed).not.toBe(SOURCES);
  await expect(sources(changed)).rejects.toThrow(ParseError);
});

it("any change of one character is an index, a ParseError, or a source that is not there", async () => {
  const check = async (text: string, read: (text: string) => Promise<unknown>): Promise<void> => {
    await read(text).catch((error: unknown) => {
      if (!(error instanceof BuildError && error.code === "BP-RESOLVE-004"))
        expect(error).toBeInstanceOf(ParseError);
    });
  };
  await fc.assert(
    fc.asyncProperty(
      fc.nat(SOURCES.length - 1),
      fc.string({ unit: "binary", maxLength: 2 }),
      async (at, put) => {
        await check(SOURCES.slice(0, at) + put + SOURCES.slice(at + 1), sources);
        await check(PACKAGES.slice(0, at) + put + PACKAGES.slice(at + 1), packages);
      },
    ),
    { numRuns: 300 },
  );
});
