/**
 * Pins what an enclave image is made from besides components: files and URLs by their bytes, folders and OCI layouts
 * as canonical tars. An image is opened when it is locked, so that one that cannot become a ramdisk is refused early.
 * @module
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fetchBlob, type InputStore } from "../fetch-blob.ts";
import { hashFile } from "../hash-stream.ts";
import type { Image } from "../image/image.ts";
import { openImage } from "../image/open-image.ts";
import { findLocalFolder, findLocalSource, MAX_IMAGE_SIZE, missingBeside } from "../local-source.ts";
import type { LockedSource } from "../lock.ts";
import type { Mirror } from "../mirrors.ts";
import type { ComposingRecipe } from "../recipe.ts";
import { recipeParts, type PinnedImage, type PinnedPart, type UrlPart } from "./enclave.ts";
import { folderTar } from "./folder-tar.ts";
import { layoutTar } from "./layout-tar.ts";

/** Where parts are looked for. */
export interface PartPlaces {
  /** The recipe's folder. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** How parts are locked. */
export interface LockPartsOptions extends PartPlaces {
  /** Where they are kept. */
  readonly store: InputStore;
  readonly mirrors: readonly Mirror[];
  readonly offline?: boolean | undefined;
  readonly onProgress?: ((what: string) => void) | undefined;
}

/** Pins every part of a recipe's enclave images, sorted by name; throws BuildError BP-RECIPE, BP-INPUT, BP-IMAGE or BP-ENCLAVE. */
export async function lockParts(recipe: ComposingRecipe, options: LockPartsOptions): Promise<LockedSource[]> {
  const parts = recipeParts(recipe);
  const locked = new Map<string, LockedSource>();
  for (const part of new Map(parts.map((part) => [`${part.kind} ${placeOf(part)}`, part])).values()) {
    options.onProgress?.(placeOf(part));
    const source = await lockPart(part, parts, options);
    locked.set(`${source.origin.kind} ${source.name}`, source);
  }
  return [...locked.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const placeOf = (part: PinnedPart): string => (part.kind === "url" ? part.url : part.path);

async function lockPart(
  part: PinnedPart,
  all: readonly PinnedPart[],
  options: LockPartsOptions,
): Promise<LockedSource> {
  if (part.kind === "url") return lockUrl(part, options);
  const { path } = part;
  const place = join(options.folder, path);
  if ((await stat(place).catch(() => undefined)) === undefined) throw missingBeside(place);
  if (part.kind === "image" && !(await stat(place)).isDirectory()) {
    const file = await lockFile(path, options);
    await openImages(join(options.folder, path), all, path);
    return file;
  }
  if (part.kind === "file") return lockFile(path, options);
  const kind = part.kind === "image" ? "layout" : "folder";
  const tar = await localTar({ kind, path }, all, options);
  if (tar === undefined) throw new RangeError(`${place} vanished while it was locked`);
  const blob = await options.store.blobs.putStream(tar, { maxSize: MAX_IMAGE_SIZE });
  return { name: path, ...blob, origin: { kind, path } };
}

/** The canonical tar of a folder or layout beside the recipe, or undefined when it is not there. */
export async function localTar(
  origin: { readonly kind: "folder" | "layout"; readonly path: string },
  parts: readonly PinnedPart[],
  { folder, signal }: PartPlaces,
): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const place = await findLocalFolder(folder, origin.path);
  if (place === undefined) return undefined;
  if (origin.kind === "folder") return folderTar(place, signal);
  return layoutTar(place, await openImages(place, parts, origin.path), signal);
}

/** Opens a file or folder as every image that the recipe takes from `path`. */
function openImages(place: string, parts: readonly PinnedPart[], path: string): Promise<Image[]> {
  const wanted = parts.filter((part): part is PinnedImage => part.kind === "image" && part.path === path);
  return Promise.all(
    wanted.map(({ digest, platform }) =>
      openImage(place, { platform, ...(digest === undefined ? {} : { digest }) }),
    ),
  );
}

async function lockFile(path: string, { folder, signal }: PartPlaces): Promise<LockedSource> {
  const file = await findLocalSource(folder, path, MAX_IMAGE_SIZE);
  if (file === undefined) throw new RangeError(`${path} vanished while it was locked`);
  return { name: path, ...(await hashFile(file, signal)), origin: { kind: "file", path } };
}

async function lockUrl(
  { url, sha256, name }: UrlPart,
  { store, mirrors, offline, signal }: LockPartsOptions,
): Promise<LockedSource> {
  await fetchBlob(store, { name, url, sha256, size: undefined }, mirrors, { offline, signal });
  const { size } = await stat(store.blobs.path(sha256));
  return { name: url, size, sha256, origin: { kind: "url", url } };
}
