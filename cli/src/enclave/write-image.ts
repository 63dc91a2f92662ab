/**
 * Writes an image where it was asked for: whole or not at all, never in place of a device, and with the mode of what it replaces.
 * @module
 */
import type { EifFileInput } from "@bootproof/builder/eif-file";
import { stat } from "node:fs/promises";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { outputFailure } from "../frame/files.ts";
import { buildEifFile, type BuildEifOptions } from "./build-eif.ts";
import type { EifFileDigests } from "./hash-eif.ts";

/** Writes an image and gives its digests; throws a {@link Failure} that names the output for what cannot be written. */
export async function writeImage(
  input: EifFileInput,
  out: string,
  options: BuildEifOptions,
): Promise<EifFileDigests> {
  const there = await stat(out).catch(() => undefined);
  if (there !== undefined && !there.isFile())
    throw new Failure("BP-FILE-013", EXIT.cannotWrite, "cannot be written: an image is written to a file", {
      file: out,
      found: there.isDirectory() ? "a folder" : "a device or a pipe",
    });
  try {
    // Who could not read the file before must not be able to read the one that replaces it.
    return await buildEifFile(input, out, { mode: there && there.mode & 0o777, ...options });
  } catch (error) {
    if (error instanceof Error && error.name === "StoreError") throw outputFailure(out, error);
    throw error;
  }
}
