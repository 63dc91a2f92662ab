/**
 * The ramdisk of a container image or a root folder, in a file that is gone afterwards. It loads the builder, so it is
 * loaded only by who needs one.
 * @module
 */
import {
  type Folder,
  type Image,
  imageRamdisk,
  openFolder,
  openImage,
  type RamdiskOptions,
} from "@bootproof/builder/image";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { inputFailure, outputFailure } from "../frame/files.ts";

/** What becomes a ramdisk. */
export interface ImagePart {
  readonly kind: "image" | "folder";
  readonly path: string;
  readonly digest?: string | undefined;
  readonly platform: string;
  readonly cmd: readonly string[];
  readonly env: readonly string[];
}

/** A ramdisk in a file. */
export interface PartRamdisk {
  readonly path: string;
  readonly findings: readonly { readonly code: string; readonly message: string }[];
}

/** Makes a ramdisk beside the output, runs work with it, and removes it. */
export async function withRamdisk<Result>(
  part: ImagePart,
  out: string,
  signal: AbortSignal,
  work: (ramdisk: PartRamdisk) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(dirname(out), ".bootproof-")).catch((error: unknown) => {
    throw outputFailure(out, error);
  });
  try {
    const path = join(folder, "ramdisk.cpio");
    const { findings } = await imageRamdisk(await openPart(part), path, {
      ...optionsOf(part),
      workFolder: folder,
      signal,
    });
    return await work({ path, findings });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openPart({ kind, path, digest, platform }: ImagePart): Promise<Image | Folder> {
  await stat(path).catch((error: unknown) => {
    throw inputFailure(path, error);
  });
  if (kind === "folder") return await openFolder(path);
  return await openImage(path, { platform, ...(digest !== undefined && { digest }) });
}

const optionsOf = ({ cmd, env }: ImagePart): RamdiskOptions => ({
  ...(cmd.length > 0 && { cmd }),
  ...(env.length > 0 && { env }),
});
