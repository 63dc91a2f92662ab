/**
 * Small EIFs that boot nothing, of the vectors of @bootproof/boot.
 * @module
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { ROOT } from "./scratch.testing.ts";

const FOLDER = join(ROOT, "boot/vectors/eif");

/** A certificate (`es384.pem`) or its key (`es384.TEST-ONLY.key`). */
export const keyFile = (name: string): string => join(FOLDER, name);

/** Writes an image of the vectors to a folder, perhaps changed, and returns its path. */
export async function putImage(
  folder: string,
  name: string,
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, change(await imageBytes(name)));
  return path;
}

/** The bytes of an image of the vectors. */
export async function imageBytes(name: string): Promise<Buffer> {
  const file = await readFile(join(FOLDER, "images.json.gz"));
  const { images } = JSON.parse(gunzipSync(file).toString()) as {
    images: Record<string, { base64: string }>;
  };
  return Buffer.from(images[name]?.base64 ?? "", "base64");
}
