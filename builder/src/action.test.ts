import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatHex, parseUtf8, sha256, utf8 } from "@bootproof/bytes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILD_FOLDER } from "./action.ts";
import { buildRecipe } from "./build.ts";
import { openTestStore, steps, testRecipe } from "./host-toolchain.testing.ts";
import { buildMerkleTree } from "./merkle.ts";
import type { BuildStore } from "./toolchain-root.ts";
import { readTree } from "./tree-on-disk.ts";

let folder: string;
let store: BuildStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootproof-action-"));
  store = await openTestStore(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("an action", () => {
  it("runs as it stands on a worker that has its input root and nothing else of ours", async () => {
    const run = "cat /source/word > out; id -u >> out; cat /proc/sys/kernel/hostname >> out";
    const word = await store.blobs.put(utf8("a source\n"));
    const source = {
      name: "word",
      ...word,
      origin: { kind: "url" as const, url: "https://example.org/word" },
    };
    const built = await buildRecipe(testRecipe(steps(run), [source]), { store, inputs: { offline: true } });
    const action = built.components[0]!.action;

    const worker = mkdtempSync(join(folder, "worker-"));
    const root = join(worker, "root");
    cpSync(join(folder, "roots", action.toolchain.digest.hash), root, {
      recursive: true,
      verbatimSymlinks: true,
    });
    mkdirSync(join(root, ".bootproof/steps"), { recursive: true });
    for (const { path, text, executable } of action.files)
      writeFileSync(join(root, path), text, { mode: executable ? 0o755 : 0o644 });
    writeFileSync(join(root, "source/word"), "a source\n");
    expect(buildMerkleTree(await readTree(root)).root).toEqual(action.inputRoot);

    const { status, stderr } = spawnSync("/bin/sh", ["../.bootproof/enter"], {
      // Command.arguments
      cwd: join(root, BUILD_FOLDER), // Command.working_directory
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, // Command.environment_variables
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    const output = readFileSync(join(root, BUILD_FOLDER, "out"));
    expect(formatHex(sha256(output))).toBe(built.outputs["out"]?.sha256);
    expect(parseUtf8(output, "out")).toBe("a source\n1000\nbootproof\n");
  });

  it("has another digest when a step, the environment, an output or a source differs, and only then", async () => {
    const digest = async (rest: string, sources?: Parameters<typeof testRecipe>[1]): Promise<string> => {
      const recipe = testRecipe(rest, sources);
      const { components } = await buildRecipe(recipe, { store, inputs: { offline: true } });
      return components[0]?.action.digest.hash ?? "";
    };
    const blob = await store.blobs.put(utf8("a source"));
    const source = { name: "s", ...blob, origin: { kind: "url" as const, url: "https://example.org/s" } };
    const base = await digest(steps("echo 1 > out"));
    const platforms = "\nplatforms: [{platform: snp, vmm: qemu, vcpus: [1], cpu: [EPYC-v4]}]";
    expect(await digest(`# a comment\n${steps("echo 1 > out")}${platforms}`)).toBe(base);
    const others = [
      await digest(steps("echo 2 > out")),
      await digest(`env: {A: "1"}\n${steps("echo 1 > out")}`),
      await digest(steps("echo 1 > out; cp out other", "out: {path: other, kind: file}")),
      await digest(steps("echo 1 > out; cp out other", "out: {path: out, kind: file}")),
      await digest(steps("echo 1 > out"), [source]),
    ];
    expect(new Set([base, ...others]).size).toBe(6);
  });
});
