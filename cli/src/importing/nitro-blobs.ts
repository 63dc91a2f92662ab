/**
 * nitro-cli's blobs folder (/usr/share/nitro_enclaves/blobs) as a recipe: its kernel and command line as they are, and
 * a bootstrap ramdisk of its init and nsm.ko. nitro-cli packs that ramdisk with linuxkit, whose archive is its own, so
 * PCR0 and PCR1 of the two tools differ although kernel, command line and files are the same.
 * @module
 */
import { chmod, copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { inputFailure, outputFailure, readInputText } from "../frame/files.ts";
import { enclaveRecipe } from "./enclave-text.ts";
import type { ImportedRecipe } from "./import-warning.ts";

const KERNELS = [
  { file: "bzImage", architecture: "x86_64" },
  { file: "Image", architecture: "aarch64" },
] as const;

/** What is made of a blobs folder. */
export interface BlobsPlaces {
  readonly name: string;
  /** The blobs. */
  readonly from: string;
  /** Folder of the recipe. */
  readonly folder: string;
  /** The image's archive or layout, relative to the recipe. */
  readonly image: string | undefined;
}

/** Copies the blobs beside the recipe and makes its text; throws a failure BP-ENCLAVE-003 for another folder. */
export async function recipeFromBlobs({ name, from, folder, image }: BlobsPlaces): Promise<ImportedRecipe> {
  const names = await readdir(from).catch((error: unknown) => {
    throw inputFailure(from, error);
  });
  const kernel = KERNELS.find(({ file }) => names.includes(file));
  const missing = ["cmdline", "init"].filter((file) => !names.includes(file));
  if (kernel === undefined) missing.unshift("bzImage or Image");
  if (kernel === undefined || missing.length > 0)
    throw new Failure("BP-ENCLAVE-003", EXIT.malformed, "is no folder of nitro-cli's blobs", {
      file: from,
      expected: "bzImage (or Image), cmdline, init and nsm.ko",
      found: `no ${missing.join(", no ")}`,
    });
  // nitro-cli trims what it reads; a newline at the end would change PCR0 and PCR1.
  const cmdline = (await readInputText(join(from, "cmdline"), 16_384)).trim();
  const parts = `${name}.blobs`;
  await copyBlobs(from, join(folder, parts), kernel.file, names.includes("nsm.ko"));
  const archive = image ?? `${name}.image.tar`;
  const text = enclaveRecipe({
    about: [
      `What nitro-cli build-enclave makes of its blobs and ${archive}: the same kernel, command line and files.`,
      "Its ramdisks are packed by linuxkit and ours are not, so PCR0, PCR1 and PCR2 differ from nitro-cli's.",
    ],
    name,
    components: {},
    architecture: kernel.architecture,
    cmdline,
    kernel: `{file: ${parts}/${kernel.file}}`,
    ramdisks: [`{cpio: ${parts}/bootstrap}`, `{image: ${archive}, argv: nitro-cli}`],
  });
  const before = image === undefined ? [`docker save IMAGE --output ${archive}`] : [];
  const message =
    "kernel and command line are nitro-cli's bytes, and the ramdisks hold its files; the archives around them are not linuxkit's, so PCR0, PCR1 and PCR2 are not those that nitro-cli prints";
  return { text, before, warnings: [{ code: "BP-ENCLAVE-110", message }] };
}

async function copyBlobs(from: string, to: string, kernel: string, nsm: boolean): Promise<void> {
  const bootstrap = join(to, "bootstrap");
  try {
    // linuxkit's bootstrap ramdisk holds /dev, /init and /nsm.ko, all 0755.
    await mkdir(join(bootstrap, "dev"), { recursive: true });
    for (const [file, target] of [
      [kernel, join(to, kernel)],
      ["init", join(bootstrap, "init")],
      ...(nsm ? [["nsm.ko", join(bootstrap, "nsm.ko")]] : []),
    ] as [string, string][]) {
      await copyFile(join(from, file), target);
      await chmod(target, file === kernel ? 0o644 : 0o755);
    }
  } catch (error) {
    throw outputFailure(to, error);
  }
}
