/**
 * Artifacts out of the store, into a folder of the user's.
 * @module
 */
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import type { BuildResult } from "@bootproof/builder";

import { outputFailure } from "../frame/files.ts";
import type { OpenStore } from "../places/store-place.ts";

/** Writes every output under its name into a folder: each whole or not at all. */
export async function writeArtifacts(
  store: OpenStore,
  outputs: BuildResult["outputs"],
  folder: string,
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw outputFailure(folder, error);
  }
  for (const [name, { sha256 }] of Object.entries(outputs)) {
    const [path, temporary] = [join(folder, name), join(folder, `.${name}.${String(process.pid)}.tmp`)];
    try {
      await copyFile(store.blobs.path(sha256), temporary);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw outputFailure(path, error);
    }
  }
}
