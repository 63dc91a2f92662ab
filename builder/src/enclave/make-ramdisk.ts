/**
 * A ramdisk from an image or a folder, streamed into the store: never whole in memory.
 * @module
 */
import { openFolder } from "../image/open-folder.ts";
import { openImage } from "../image/open-image.ts";
import { planRamdisk } from "../image/ramdisk.ts";
import type { Folder, Image, Ramdisk, RamdiskOptions } from "../image/image.ts";
import type { BuildStore } from "../toolchain-root.ts";
import type { RamdiskOrder } from "./assembly.ts";
import type { MadeBlob } from "./remembered.ts";

/** Where a ramdisk is made. */
export interface RamdiskPlaces {
  /** The image or folder. */
  readonly part: string;
  /** Where the ramdisk goes. */
  readonly blobs: BuildStore["blobs"];
  /** For what layers are unpacked to. */
  readonly workFolder: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Makes a ramdisk; throws BuildError BP-IMAGE for an image or folder that cannot become one. */
export async function makeRamdisk(
  order: Exclude<RamdiskOrder, { kind: "file" }>,
  { part, blobs, workFolder, signal, onProgress }: RamdiskPlaces,
): Promise<MadeBlob> {
  const source = await openSource(order, part);
  const ramdisk = await planRamdisk(source, optionsOf(order, source, workFolder, signal));
  try {
    const blob = await blobs.putStream(counted(ramdisk, onProgress), { size: ramdisk.size });
    return { blob, findings: ramdisk.findings };
  } finally {
    await ramdisk.close();
  }
}

function openSource(order: Exclude<RamdiskOrder, { kind: "file" }>, path: string): Promise<Image | Folder> {
  if (order.kind !== "image") return openFolder(path);
  const { digest, platform } = order;
  return openImage(path, { platform, ...(digest === null ? {} : { digest }) });
}

function optionsOf(
  order: Exclude<RamdiskOrder, { kind: "file" }>,
  source: Image | Folder,
  workFolder: string,
  signal: AbortSignal | undefined,
): RamdiskOptions {
  const common = { workFolder, ...(signal === undefined ? {} : { signal }) };
  if (order.kind === "cpio") return { ...common, prefix: "" };
  const { cmd, cwd, user } = order;
  const env = joinVariables(source.kind === "image" ? source.config.env : [], order.env);
  return {
    ...common,
    env,
    ...(order.kind === "image" ? { argv: order.argv } : {}),
    ...(cmd === null ? {} : { cmd }),
    ...(cwd === null ? {} : { cwd }),
    ...(user === null ? {} : { user }),
  };
}

/** An image's variables with the recipe's instead of those of the same name, and else after them. */
function joinVariables(image: readonly string[], recipe: readonly string[]): string[] {
  const nameOf = (variable: string): string => variable.split("=", 1)[0] ?? "";
  const added = new Map(recipe.map((variable) => [nameOf(variable), variable]));
  const joined = image.map((variable) => {
    const replaced = added.get(nameOf(variable));
    added.delete(nameOf(variable));
    return replaced ?? variable;
  });
  return [...joined, ...added.values()];
}

async function* counted(
  ramdisk: Ramdisk,
  onProgress: ((done: number, total: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of ramdisk.chunks()) {
    yield chunk;
    done += chunk.length;
    onProgress?.(done, ramdisk.size);
  }
}
