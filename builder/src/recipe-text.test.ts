import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BuildError } from "./build-error.ts";
import type { BuildingRecipe, ComposingRecipe } from "./recipe.ts";
import { MAX_RECIPE_SIZE, parseRecipe } from "./recipe-text.ts";

const BUILDING = readFileSync(new URL("../vectors/building.recipe.yaml", import.meta.url), "utf8");
const COMPOSING = readFileSync(new URL("../vectors/composing.recipe.yaml", import.meta.url), "utf8");
const parse = (text: string) => parseRecipe(text, "r.yaml");

function issuesOf(text: string): { code: string; issues: readonly string[] } {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof BuildError) return { code: error.code, issues: error.issues };
    throw error;
  }
  return { code: "none", issues: [] };
}

describe("a building recipe", () => {
  const recipe = parse(BUILDING) as BuildingRecipe;

  it("keeps every source with its kind and its name in /source", () => {
    expect(recipe.source).toEqual([
      { kind: "debian", package: "linux", version: "6.12.107-1", suite: "trixie" },
      { kind: "file", path: "config/linux-snp.config", name: "linux-snp.config" },
      {
        kind: "url",
        url: "https://example.org/a/patch-1.tar.gz?x=1",
        sha256: "ab".repeat(32),
        name: "patch-1.tar.gz",
      },
      {
        kind: "git",
        url: "https://example.org/svsm.git",
        commit: "0123456789abcdef0123456789abcdef01234567",
        name: "svsm.tar",
      },
    ]);
  });

  it("spells out every axis of a platform as a list", () => {
    expect(recipe.platforms).toEqual([
      {
        platform: "snp",
        vmm: "qemu",
        profile: undefined,
        vcpus: [1, 2, 3, 4, 5, 6, 7, 8],
        cpu: ["EPYC-v4", "EPYC-Milan"],
        guestFeatures: ["0x1"],
        kernelHashes: true,
      },
      {
        platform: "sev",
        vmm: undefined,
        profile: undefined,
        vcpus: [4],
        cpu: [],
        guestFeatures: [],
        kernelHashes: undefined,
      },
    ]);
  });

  it("keeps scripts, environment and outputs as written", () => {
    expect(recipe.steps).toEqual([
      { name: "unpack", run: "tar xf /source/linux.tar\n" },
      { name: "compile", run: "make -j$(nproc)" },
    ]);
    expect(recipe.env).toEqual({ SOURCE_DATE_EPOCH: "1700000000" });
    expect(recipe.outputs).toEqual({ vmlinuz: { path: "linux/arch/x86/boot/bzImage", kind: "kernel" } });
  });
});

it("a composing recipe takes outputs from its components and from its own command line", () => {
  const recipe = parse(COMPOSING) as ComposingRecipe;
  expect(recipe.components).toEqual({
    firmware: "../../ovmf/recipes/ovmf-amdsev.recipe.yaml",
    kernel: "linux-snp.recipe.yaml",
  });
  expect(recipe.cmdline).toBe("console=ttyS0 panic=-1");
  expect(recipe.outputs).toEqual({
    "OVMF.fd": { from: { component: "firmware", output: "OVMF.fd" }, kind: "firmware" },
    cmdline: { from: "cmdline", kind: "cmdline" },
  });
});

/** A named change to a good recipe, and the lines it must be answered with. */
const REJECTED: readonly [name: string, from: string | RegExp, to: string, line: string][] = [
  [
    "a misspelt key",
    "toolchain:",
    "toolchian:",
    "r.yaml:12:1: toolchian: unknown key; did you mean toolchain?",
  ],
  [
    "a key of another place",
    "version: 6.12.107-1, suite",
    "versions: 6.12.107-1, suite",
    "r.yaml:4:21: source.0.versions: unknown key; did you mean version?",
  ],
  [
    "a version that YAML reads as a number",
    "version: 6.12.107\n",
    "version: 6.12\n",
    "r.yaml:2:10: version: expected a version, found the number 6.12; write it in quotes",
  ],
  [
    "a repeated key",
    "name: linux-snp",
    "name: linux-snp\nname: other",
    "r.yaml:2:1: map keys must be unique",
  ],
  [
    "a file outside the recipe's folder",
    "config/linux-snp.config",
    "../linux-snp.config",
    'r.yaml:5:12: source.1.file: expected a relative path without . or .. segments, found "../linux-snp.config"',
  ],
  [
    "an absolute file",
    "config/linux-snp.config",
    "/etc/passwd",
    'r.yaml:5:12: source.1.file: expected a relative path without . or .. segments, found "/etc/passwd"',
  ],
  [
    "an output that leaves the build folder",
    "linux/arch/x86/boot/bzImage",
    "linux/../../etc/shadow",
    'r.yaml:23:19: outputs.vmlinuz.path: expected a relative path without . or .. segments, found "linux/../../etc/shadow"',
  ],
  [
    "a source of no known kind",
    "{file: config",
    "{fiel: config",
    "r.yaml:5:5: source.1: expected a mapping with one of the keys debian, file, url, git",
  ],
  [
    "an unknown suite",
    "suite: trixie, packages",
    "suite: trixi, packages",
    'r.yaml:12:20: toolchain.suite: expected one of bookworm, trixie, sid, found "trixi"; did you mean trixie?',
  ],
  ["an unknown artifact kind", "kind: kernel", "kind: kernal", "did you mean kernel?"],
  [
    "a package asked for twice",
    "packages: [bash, gcc]",
    "packages: [bash, bash]",
    "r.yaml:12:45: toolchain.packages.1: bash appears twice",
  ],
  ["a step name twice", "name: compile", "name: unpack", "steps.1: unpack appears twice"],
  [
    "two sources with one name",
    "url: https://example.org/a/patch-1.tar.gz?x=1",
    "name: svsm.tar\n    url: https://example.org/a/p",
    "source.3: svsm.tar appears twice",
  ],
  [
    "a variable that the sandbox sets",
    "SOURCE_DATE_EPOCH:",
    "LD_PRELOAD:",
    "r.yaml:14:3: env.LD_PRELOAD: the sandbox sets this variable itself; leave it out",
  ],
  [
    "a time that is none",
    '"1700000000"',
    '"yesterday"',
    "env.SOURCE_DATE_EPOCH: expected seconds since 1970 in decimal digits",
  ],
  ["a range that counts down", '"1..8"', '"8..1"', "platforms.0.vcpus: expected a range that counts up"],
  ["a machine larger than any", '"1..8"', '"1..9999"', "platforms.0.vcpus: expected at most 4096 vCPUs"],
  [
    "a shape twice",
    "[EPYC-v4, EPYC-Milan]",
    "[EPYC-v4, EPYC-v4]",
    "platforms.0.cpu: a value appears twice on this axis",
  ],
  [
    "guest features that YAML reads as a number",
    '["0x1"]',
    "[0x1]",
    'platforms.0.guestFeatures.0: expected guest features in quotes, such as "0x1", found the number 1; write it in quotes',
  ],
  ["an alias", "packages: [bash, gcc]", "packages: [&a bash, *a]", "aliases are not allowed"],
  ["an unknown tag", "name: linux-snp", "name: !evil linux-snp", "unresolved tag: !evil"],
  ["a second document", "name: linux-snp", "name: a\n---\nname: linux-snp", "r.yaml:2:1:"],
  ["a key of every object", "env:", "constructor: {}\nenv:", "the key constructor is not allowed"],
  ["no steps", /steps:[\s\S]*outputs:/, "steps: []\noutputs:", "steps: expected at least 1 entry"],
  ["no version", "version: 6.12.107\n", "", "r.yaml:1:1: version: missing key"],
];

it.each(REJECTED)("a recipe with %s is refused at its place", (_, from, to, line) => {
  const changed = BUILDING.replace(from, to);
  expect(changed).not.toBe(BUILDING);
  expect(issuesOf(changed).issues.join("\n")).toContain(line);
});

const REJECTED_COMPOSING: readonly [string, string, string, string][] = [
  [
    "a component that is not there",
    "from: firmware/OVMF.fd",
    "from: firmwaer/OVMF.fd",
    "outputs.OVMF.fd.from: no component is called firmwaer; did you mean firmware?",
  ],
  [
    "a command line of two lines",
    "console=ttyS0 panic=-1",
    '"a\\nb"',
    "cmdline: expected one line of printable ASCII",
  ],
  [
    "a command line output but no command line",
    "cmdline: console=ttyS0 panic=-1\n",
    "",
    "the recipe has no key `cmdline`",
  ],
  ["an output from nowhere", "from: firmware/OVMF.fd, ", "", "outputs.OVMF.fd: missing key `from`"],
  [
    "a component that is no recipe",
    "linux-snp.recipe.yaml",
    "/etc/passwd",
    "components.kernel: expected a relative path of a *.recipe.yaml",
  ],
  ["steps", "cmdline:", "steps: []\ncmdline:", "steps: unknown key"],
];

it.each(REJECTED_COMPOSING)("a composing recipe with %s is refused at its place", (_, from, to, line) => {
  const changed = COMPOSING.replace(from, to);
  expect(changed).not.toBe(COMPOSING);
  expect(issuesOf(changed).issues.join("\n")).toContain(line);
});

it("says everything that is wrong at once", () => {
  const changed = BUILDING.replace("kind: kernel", "kind: x").replace("6.12.107\n", "6.12\n");
  expect(issuesOf(changed).issues).toHaveLength(2);
});

it("tells unreadable YAML, a wrong shape and a huge file apart by code", () => {
  expect(issuesOf("a: [").code).toBe("BP-RECIPE-001");
  for (const deep of ["[".repeat(200_000), `a: ${"[".repeat(20_000)}`])
    expect(issuesOf(deep)).toMatchObject({
      code: "BP-RECIPE-001",
      issues: [expect.stringMatching(/nested too deeply$/)],
    });
  expect(issuesOf("a: 1\n".repeat(1000)).issues).toHaveLength(21);
  expect(issuesOf("").code).toBe("BP-RECIPE-002");
  expect(issuesOf("name: x").code).toBe("BP-RECIPE-002");
  expect(issuesOf("#".repeat(MAX_RECIPE_SIZE + 1)).code).toBe("BP-RECIPE-003");
});

it("no text makes the parser fail in any other way", () => {
  const refusedOrRead = (text: string) => {
    const { code } = issuesOf(text);
    expect(code).toMatch(/^(?:none|BP-RECIPE-00[123])$/);
  };
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), refusedOrRead));
  const yamlish = fc.array(
    fc.constantFrom(
      "name",
      ":",
      " ",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      ",",
      '"',
      "&a",
      "*a",
      "!t",
      "|",
      "? ",
      "#",
      "1",
      "~",
      "<<",
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(yamlish, (words) => refusedOrRead(words.join(""))),
    { numRuns: 1000 },
  );
});

it("no change of one character makes the parser fail in any other way", () => {
  fc.assert(
    fc.property(fc.nat(BUILDING.length - 1), fc.string({ unit: "binary", maxLength: 2 }), (at, put) => {
      issuesOf(BUILDING.slice(0, at) + put + BUILDING.slice(at + 1));
    }),
    { numRuns: 500 },
  );
});
