import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BuildError } from "../build-error.ts";
import type { ComposingRecipe } from "../recipe.ts";
import { parseRecipe } from "../recipe-text.ts";
import { recipeParts, type EnclaveImage } from "./enclave.ts";

const TEXT = readFileSync(new URL("../../vectors/enclave.recipe.yaml", import.meta.url), "utf8");
const parse = (text: string): ComposingRecipe => parseRecipe(text, "e.yaml") as ComposingRecipe;
const AB = "ab".repeat(32);

function imageOf(recipe: ComposingRecipe, name: string): EnclaveImage {
  const from = recipe.outputs[name]?.from;
  if (typeof from !== "object" || !("eif" in from)) throw new Error(`${name} is not assembled`);
  return from.eif;
}

function issuesOf(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof BuildError) return error.issues;
    throw error;
  }
  return [];
}

describe("an enclave image in a recipe", () => {
  const recipe = parse(TEXT);

  it("keeps each part with where it comes from, and what the ramdisk runs", () => {
    expect(imageOf(recipe, "app.eif")).toEqual({
      architecture: "x86_64",
      kernel: { kind: "component", component: "kernel", output: "bzImage" },
      cmdline: undefined,
      ramdisks: [
        { kind: "component", component: "init", output: "init.cpio" },
        {
          kind: "image",
          from: { kind: "file", path: "hello.oci.tar" },
          digest: `sha256:${AB}`,
          argv: "nitro-cli",
          cmd: undefined,
          env: { GREETING: "hello" },
          cwd: undefined,
          user: "1000:1000",
        },
        {
          kind: "folder",
          path: "rootfs",
          cmd: ["/bin/hello", "--loud"],
          env: {},
          cwd: "/srv",
          user: undefined,
        },
      ],
      name: undefined,
      version: undefined,
      buildTime: undefined,
      signature: undefined,
    });
  });

  it("pins everything that is of no component, images for the enclave's processor", () => {
    expect(recipeParts(recipe)).toEqual([
      { kind: "image", path: "hello.oci.tar", digest: `sha256:${AB}`, platform: "linux/amd64" },
      { kind: "folder", path: "rootfs" },
      { kind: "url", url: "https://example.org/k/Image?x=1", sha256: "cd".repeat(32), name: "Image" },
      { kind: "file", path: "parts/init.cpio" },
      { kind: "url", url: "https://example.org/i.tar", sha256: "ef".repeat(32), name: "i.tar" },
      { kind: "file", path: "cert.pem" },
      { kind: "file", path: "arm.sig" },
    ]);
  });

  it("needs no component when all its parts stand beside the recipe", () => {
    const alone = `name: a\nversion: "1"\ncmdline: quiet\noutputs:\n  a.eif: {kind: eif, eif: {kernel: {file: k}, ramdisks: [{file: r}]}}\n`;
    expect(parse(alone)).toMatchObject({ form: "composing", components: {} });
  });
});

const REJECTED: readonly [name: string, from: string, to: string, line: string][] = [
  [
    "a key of `eif` that is misspelt",
    "      ramdisks:",
    "      ramdisk:",
    "12:7: outputs.app.eif.eif.ramdisk: unknown key; did you mean ramdisks?",
  ],
  ["a kind of ramdisk that is misspelt", "- folder: rootfs", "- folders: rootfs", "did you mean folder?"],
  [
    "a ramdisk of no kind",
    "- init/init.cpio",
    "- 7",
    "13:11: outputs.app.eif.eif.ramdisks.0: expected component/output or a mapping with one of the keys file, url, image, folder, cpio",
  ],
  [
    "a folder that names no program",
    "          cmd: [/bin/hello, --loud]\n",
    "",
    "outputs.app.eif.eif.ramdisks.2.cmd: missing key",
  ],
  ["a digest without its algorithm", `sha256:${AB}`, AB, "expected sha256: and 64 lower-case hex digits"],
  ["an argument of two lines", "--loud", '"a\\nb"', "expected a word of one line"],
  ["a variable with a line break", "GREETING: hello", 'GREETING: "a\\nb"', "expected text of one line"],
  [
    "an image out of the folder",
    "image: hello.oci.tar",
    "image: ../hello.oci.tar",
    "expected a relative path without . or .. segments",
  ],
  ["an unknown architecture", "aarch64", "arm64", 'expected one of x86_64, aarch64, found "arm64"'],
  [
    "a build time of another spelling",
    "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00Z",
    "expected a time such as",
  ],
  [
    "a component that is not there",
    "kernel: kernel/bzImage",
    "kernel: kernal/bzImage",
    "11:7: outputs.app.eif.eif.kernel: no component is called kernal; did you mean kernel?",
  ],
  [
    "a ramdisk of a component that is not there",
    "- init/init.cpio",
    "- unit/init.cpio",
    "13:11: outputs.app.eif.eif.ramdisks.0: no component is called unit; did you mean init?",
  ],
  [
    "no command line anywhere",
    "cmdline: reboot=k panic=30\n",
    "",
    "missing key `cmdline`, here or in the recipe itself",
  ],
  [
    "another kind than eif",
    "    kind: eif\n    eif:\n      kernel",
    "    kind: file\n    eif:\n      kernel",
    "is of kind eif, not file",
  ],
  [
    "an output both taken and assembled",
    "  arm.eif:\n    kind: eif",
    "  arm.eif:\n    kind: eif\n    from: kernel/bzImage",
    "either taken with `from` or assembled with `eif`",
  ],
  ["a user with a space", '"1000:1000"', '"1000 1000"', "expected a user"],
  [
    "a kernel that is a folder",
    "kernel: kernel/bzImage\n      ramdisks",
    "kernel: {folder: x}\n      ramdisks",
    "expected component/output or a mapping with one of the keys file, url",
  ],
];

it.each(REJECTED)("a recipe with %s is refused, with what was meant", (_, from, to, line) => {
  expect(TEXT).toContain(from);
  const issues = issuesOf(TEXT.replace(from, to));
  expect(issues.join("\n")).toContain(line);
  for (const issue of issues) expect(issue).toMatch(/^e\.yaml:\d+:\d+: /);
});

it("an eif output without parts is told which keys it lacks", () => {
  const bare = `name: a\nversion: "1"\ncomponents: {k: k.recipe.yaml}\noutputs:\n  a.eif: {kind: eif}\n`;
  expect(issuesOf(bare)).toEqual([
    "e.yaml:5:3: outputs.a.eif: missing key `eif`, or `from`: component/output",
  ]);
});
