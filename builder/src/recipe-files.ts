/**
 * Recipes and locks as files: `x.recipe.yaml` with `x.lock.yaml` beside it.
 * @module
 */
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { formatHex, parseUtf8, ParseError, sha256 } from "@bootproof/bytes";
import { writeFileAtomic } from "@bootproof/store";
import { BuildError, type BuildErrorCode } from "./build-error.ts";
import type { Lock } from "./lock.ts";
import { formatLock, MAX_LOCK_SIZE, parseLock } from "./lock-text.ts";
import type { Recipe } from "./recipe.ts";
import { MAX_RECIPE_SIZE, parseRecipe } from "./recipe-text.ts";

const RECIPE_END = ".recipe.yaml";

/** A recipe and the file it was read from. */
export interface LoadedRecipe {
  readonly recipe: Recipe;
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** A lock and the file it was read from. */
export interface LoadedLock {
  readonly lock: Lock;
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** The path of the lock that belongs to a recipe: beside it, `.lock.yaml` instead of `.recipe.yaml`. */
export function lockPathOf(recipePath: string): string {
  const name = basename(recipePath);
  if (!name.endsWith(RECIPE_END) || name === RECIPE_END)
    throw new BuildError("BP-RECIPE-004", `${recipePath}: a recipe's file name ends in ${RECIPE_END}`, {
      file: recipePath,
    });
  return join(dirname(recipePath), `${name.slice(0, -RECIPE_END.length)}.lock.yaml`);
}

/** Reads and parses a recipe; throws {@link BuildError} BP-RECIPE-001 to 004. */
export async function loadRecipe(path: string): Promise<LoadedRecipe> {
  const bytes = await readText(path, MAX_RECIPE_SIZE, {
    absent: "BP-RECIPE-004",
    malformed: "BP-RECIPE-001",
    large: "BP-RECIPE-003",
  });
  return { recipe: parseRecipe(bytes.text, path), path: resolve(path), ...bytes };
}

/** Reads and parses a lock; throws {@link BuildError} BP-LOCK-001, 002 or 004. */
export async function loadLock(path: string): Promise<LoadedLock> {
  const bytes = await readText(path, MAX_LOCK_SIZE, {
    absent: "BP-LOCK-004",
    malformed: "BP-LOCK-001",
    large: "BP-LOCK-001",
  });
  return { lock: parseLock(bytes.text, path), path: resolve(path), ...bytes };
}

/** Writes a lock in its canonical spelling, all of it or nothing. */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  await writeFileAtomic(path, new TextEncoder().encode(formatLock(lock)));
}

interface TextCodes {
  readonly absent: BuildErrorCode;
  readonly malformed: BuildErrorCode;
  readonly large: BuildErrorCode;
}

async function readText(
  path: string,
  limit: number,
  codes: TextCodes,
): Promise<{ bytes: Uint8Array; text: string; sha256: string }> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new BuildError(codes.absent, `${path}: cannot be read`, {
      file: path,
      found: errorCode(cause),
      ...(codes.absent === "BP-LOCK-004" ? { hint: "make it with `bootproof lock RECIPE`" } : {}),
      cause,
    });
  });
  if (bytes.length > limit)
    throw new BuildError(codes.large, `${path}: the file is too large`, {
      file: path,
      expected: `at most ${limit} bytes`,
      found: `${bytes.length} bytes`,
    });
  try {
    return { bytes, text: parseUtf8(bytes, path), sha256: formatHex(sha256(bytes)) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new BuildError(codes.malformed, `${path}:1:1: the file is not UTF-8`, { file: path, cause: error });
  }
}

const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error);
