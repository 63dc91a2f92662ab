/**
 * Folders that results are written to.
 * @module
 */
import { dirname } from "node:path";

import { makeDirectory } from "@bootproof/store";

import { outputFailure } from "./files.ts";

/** Makes the folder that a file will lie in. */
export async function makeFolder(file: string): Promise<void> {
  try {
    await makeDirectory(dirname(file));
  } catch (error) {
    throw outputFailure(file, error);
  }
}
