/**
 * Folders that results are written to.
 * @module
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import { outputFailure } from "./files.ts";

/** Makes the folder that a file will lie in. */
export async function makeFolder(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
  } catch (error) {
    throw outputFailure(file, error);
  }
}
