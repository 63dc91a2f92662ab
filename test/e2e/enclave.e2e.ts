import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bootproof, bootproofJson, type Failure, flipBit, scratch, writeProbe } from "./command.ts";
import { smallestKernel, writeLayout } from "./oci-layout.ts";

interface Built {
  readonly artifacts: readonly { name: string; sha256: string; path: string }[];
  readonly assemblies: readonly { name: string; cached: boolean; findings: readonly { code: string }[] }[];
  readonly verdict?: string;
}

interface Rebuilt {
  readonly verdict: string;
  readonly reason?: string;
  readonly registers: { readonly compared: number; readonly differ: readonly object[] };
}

/** A newc archive with nothing in it: the smallest ramdisk there is. */
const EMPTY_CPIO =
  "printf '070701%s%s\\0\\0\\0\\0' $(printf '0%.0s' {1..88})0000000b 00000000TRAILER!!! > result";

describe("an enclave image: from a recipe to a release that a stranger rebuilds", () => {
  let folder: string;
  let recipe: string;
  let out: string;
  let stranger: { cwd: string; env: Record<string, string> };
  const at = (...names: readonly string[]): string => path.join(folder, ...names);

  beforeAll(async () => {
    folder = await scratch("enclave");
    out = at("out");
    recipe = at("hello.recipe.yaml");
    await writeProbe(folder, { name: "init", run: EMPTY_CPIO });
    await writeFile(at("bzImage"), smallestKernel());
    await writeLayout(
      at("hello-oci"),
      [
        { "bin/hello": "#!/bin/sh\necho hello\n", "etc/old": "old", "srv/": "" },
        { "etc/.wh.old": "", "etc/new": "new" },
      ],
      { Entrypoint: ["/bin/hello"], Cmd: ["--loud"], Env: ["PATH=/bin", "GREETING=none"] },
    );
    await mkdir(at("rootfs/srv"), { recursive: true });
    await writeFile(at("rootfs/srv/page"), "a page\n");
    await writeFile(
      recipe,
      `name: hello
version: "1"
components: {init: init/init.recipe.yaml}
cmdline: reboot=k panic=30
outputs:
  hello.eif:
    kind: eif
    eif:
      kernel: {file: bzImage}
      ramdisks:
        - init/result
        - {image: hello-oci, env: {GREETING: hello}}
        - {folder: rootfs, cmd: [/bin/hello]}
platforms: [{platform: nitro}]
`,
    );
    const cwd = at("elsewhere");
    await mkdir(cwd);
    stranger = {
      cwd,
      env: { BOOTPROOF_STORE: path.join(cwd, "store"), XDG_CONFIG_HOME: path.join(cwd, "config") },
    };
    const locked = await bootproof(["lock", recipe]);
    expect(locked.exitCode, locked.stderr).toBe(0);
    const released = await bootproof(["release", recipe, "--out", out]);
    expect(released.exitCode, released.stderr).toBe(0);
    expect(released.stdout).toMatch(/nitro\s+.*PCR0\s+[0-9a-f]{96}/);
  });

  const bundle = (): string => path.join(out, "hello-1.tlog-proof");
  const policy = (): string => path.join(out, "hello-1.policy.yaml");
  const image = (): string => path.join(out, "artifacts/hello.eif");

  it("pins kernel, image and folder by hash, and says so when one of them is another", async () => {
    const lock = await readFile(at("hello.lock.yaml"), "utf8");
    expect(lock).toMatch(/ file bzImage$/m);
    expect(lock).toMatch(/ layout hello-oci$/m);
    expect(lock).toMatch(/ folder rootfs$/m);
    expect((await bootproof(["lock", recipe, "--check"])).exitCode).toBe(0);
    await writeFile(at("rootfs/srv/page"), "another page\n");
    const checked = await bootproofJson<Failure>(["lock", recipe, "--check"], 65);
    expect(checked.error).toMatchObject({ code: "BP-INPUT-002", file: at("rootfs") });
    const { error } = await bootproofJson<Failure>(["build", recipe], 65);
    await writeFile(at("rootfs/srv/page"), "a page\n");
    expect(error).toMatchObject({ code: "BP-INPUT-002", file: at("rootfs") });
  });

  it("builds IDENTICAL twice, and afterwards makes nothing again", async () => {
    const twice = await bootproofJson<Built>(["build", recipe, "--twice"], 0);
    expect(twice.verdict).toBe("IDENTICAL");
    // The image has ENTRYPOINT and CMD: nitro-cli would run CMD alone, and say nothing.
    expect(twice.assemblies[0]?.findings.map(({ code }) => code)).toContain("BP-IMAGE-103");
    const again = await bootproofJson<Built>(["build", recipe, "--offline"], 0);
    expect(again.assemblies).toMatchObject([{ name: "hello.eif", cached: true }]);
    expect(again.artifacts[0]?.sha256).toBe(twice.artifacts[0]?.sha256);
  });

  it("releases the image that it measured: its registers are in the log, and the file verifies", async () => {
    const measured = await bootproofJson<{ registers: Record<string, string> }>(
      ["measure", "nitro", image()],
      0,
    );
    const found = await bootproof([
      "lookup",
      measured.registers["PCR0"] ?? "",
      "--log",
      path.join(out, "log"),
    ]);
    expect(found.stdout, found.stderr).toMatch(/hello 1/);
    const verified = await bootproof(["verify", bundle(), image(), "--policy", policy(), "--offline"]);
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
    await cp(image(), at("changed.eif"));
    await flipBit(at("changed.eif"), 0x300);
    expect((await bootproof(["verify", bundle(), at("changed.eif"), "--policy", policy()])).exitCode).toBe(1);
  });

  it("is rebuilt IDENTICAL from an empty store by someone who has the bundle and its materials", async () => {
    const copy = at("published");
    await cp(out, copy, { recursive: true });
    const args = ["rebuild", path.join(copy, "hello-1.tlog-proof"), "--policy", policy()];
    const rebuilt = await bootproofJson<Rebuilt>(args, 0, stranger);
    expect(rebuilt.verdict).toBe("IDENTICAL");
    expect(rebuilt.registers.compared).toBeGreaterThan(3);
    expect(rebuilt.registers.differ).toEqual([]);
  });

  it("INPUTS-MISSING where the folder is gone from the materials", async () => {
    const copy = at("incomplete");
    await cp(out, copy, { recursive: true });
    const [, tar = ""] =
      /([0-9a-f]{64}) \d+ folder rootfs/.exec(await readFile(at("hello.lock.yaml"), "utf8")) ?? [];
    await rm(path.join(copy, "materials/sha256", tar));
    const store = stranger.env["BOOTPROOF_STORE"] ?? "";
    await rm(path.join(store, "blobs", tar.slice(0, 2), tar), { force: true });
    const args = ["rebuild", path.join(copy, "hello-1.tlog-proof"), "--policy", policy()];
    const rebuilt = await bootproofJson<Rebuilt>(args, 2, stranger);
    expect(rebuilt.verdict).toBe("INPUTS-MISSING");
    expect(rebuilt.reason).toMatch(/rootfs/);
  });

  it("shows parts and pins to whoever inspects recipe and lock", async () => {
    const shown = await bootproof(["inspect", recipe]);
    expect(shown.stdout).toMatch(/ramdisk 2\s+image hello-oci/);
    expect((await bootproof(["inspect", at("hello.lock.yaml")])).stdout).toMatch(
      /layout\s+hello-oci, \d+ bytes/,
    );
  });

  it.each([
    ["a kernel that is not there", "{file: bzImage}", "{file: vmlinuz}", "BP-RECIPE-006", 66],
    [
      "an image that holds no such digest",
      "image: hello-oci",
      `image: hello-oci, digest: "sha256:${"0".repeat(64)}"`,
      "BP-IMAGE-007",
      1,
    ],
    ["a folder that is a file", "folder: rootfs", "folder: bzImage", "BP-RECIPE-006", 66],
    ["a misspelt key", "ramdisks:", "ramdisk:", "BP-RECIPE-002", 78],
  ])("refuses to lock %s", async (_, from, to, code, exit) => {
    const other = at("other.recipe.yaml");
    const text = await readFile(recipe, "utf8");
    expect(text).toContain(from);
    await writeFile(other, text.replace(from, to));
    const { error } = await bootproofJson<Failure>(["lock", other], exit);
    expect(error.code).toBe(code);
    expect(await readdir(folder)).not.toContain("other.lock.yaml");
  });

  it("makes what nitro-cli would be given into an image, without nitro-cli", async () => {
    const blobs = at("blobs");
    await mkdir(blobs);
    await writeFile(path.join(blobs, "bzImage"), smallestKernel());
    await writeFile(path.join(blobs, "cmdline"), "reboot=k panic=30 nomodules\n");
    await writeFile(path.join(blobs, "init"), "init");
    await writeFile(path.join(blobs, "nsm.ko"), "module");
    const initial = await bootproof(["init", at("app"), "--from", blobs, "--image", at("hello-oci")]);
    expect(initial.exitCode, initial.stderr).toBe(0);
    expect(initial.stderr).toMatch(/BP-ENCLAVE-110/);
    expect((await bootproof(["lock", at("app.recipe.yaml")])).exitCode).toBe(0);
    const built = await bootproofJson<Built>(
      ["build", at("app.recipe.yaml"), "--twice", "--out", at("app")],
      0,
    );
    expect(built.verdict).toBe("IDENTICAL");
    const shown = await bootproof(["inspect", at("app/app.eif")]);
    expect(shown.stdout).toMatch(/reboot=k panic=30 nomodules(?!\\n)/);
  });
});
