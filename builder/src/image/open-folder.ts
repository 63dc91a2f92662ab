/**
 * Opens a root folder without configuration: a directory, or a tar of one, in which no name is a whiteout.
 * @module
 */
import { statSync } from "node:fs";
import { BuildError } from "../build-error.ts";
import type { Folder } from "./image.ts";

/** Looks what is at `path`; throws {@link BuildError} BP-IMAGE-001. */
export function openFolder(path: string): Promise<Folder> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return Promise.resolve({ kind: "directory", path });
  if (found?.isFile() === true) return Promise.resolve({ kind: "tar", path });
  return Promise.reject(
    new BuildError("BP-IMAGE-001", `${path} is neither a folder nor a tar of one`, { file: path }),
  );
}
