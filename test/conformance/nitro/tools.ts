/**
 * What boots an enclave here: QEMU and the vsock device, built by recipes and unpacked once into a cache, and the
 * artifacts that go into the images.
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { formatHex, sha256 } from "@bootproof/bytes";
import { execa } from "execa";
import { bootproof, ROOT } from "../../e2e/command.ts";

/** Kept between runs: what was built, and what was predicted before each boot. */
export const CACHE: string = path.join(ROOT, "node_modules/.cache/bootproof-nitro");

/** A program that runs with its own loader and libraries, whatever the machine has. */
export interface Tool {
  readonly command: string;
  readonly args: readonly string[];
  /** Folder with what comes beside the program. */
  readonly folder: string;
}

/** Everything that the boots need; paths of files. */
export interface NitroTools {
  readonly qemu: Tool;
  readonly vsock: Tool;
  readonly kernel: string;
  readonly init: string;
  /** The program that reports, and a ramdisk that has it as the application. */
  readonly report: string;
  readonly application: string;
  readonly parent: string;
}

/** Builds what the user's store does not have yet: on an empty one QEMU takes minutes, and so does the kernel. */
export async function prepareTools(): Promise<NitroTools> {
  await mkdir(CACHE, { recursive: true });
  return {
    qemu: await unpackTool("qemu-system-x86_64", await build("test/recipes/qemu-nitro", "qemu.tar")),
    vsock: await unpackTool(
      "vhost-device-vsock",
      await build("test/recipes/vhost-device-vsock", "vhost-device-vsock.tar"),
    ),
    kernel: await build("boot/recipes/linux-nitro", "bzImage"),
    init: await build("boot/recipes/nitro-init", "init.cpio"),
    report: await build("test/recipes/nsm-report", "nsm-report"),
    application: await build("test/recipes/nsm-report", "report.cpio"),
    parent: await build("test/recipes/heartbeat-parent", "parent.cpio"),
  };
}

async function build(recipe: string, output: string): Promise<string> {
  const out = path.join(CACHE, path.basename(recipe));
  const built = await bootproof(["build", `${recipe}.recipe.yaml`, "--out", out]);
  if (built.exitCode !== 0) throw new Error(`${recipe} was not built:\n${built.stderr}`);
  return path.join(out, output);
}

async function unpackTool(program: string, tar: string): Promise<Tool> {
  const digest = formatHex(sha256(await readFile(tar)));
  const folder = path.join(CACHE, `${program}-${digest.slice(0, 16)}`);
  if (!existsSync(folder)) {
    const half = await mkdtemp(`${folder}-`);
    await execa("tar", ["-xf", tar, "-C", half]);
    // Another run may have been quicker; then its folder is as good.
    await rename(half, folder).catch(() => rm(half, { recursive: true }));
  }
  const libraries = path.join(folder, "lib");
  const args = ["--library-path", libraries, path.join(folder, "bin", program)];
  return { command: path.join(libraries, "ld.so"), args, folder };
}
