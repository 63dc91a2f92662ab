/**
 * A folder of its own for each test file, gone afterwards.
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll } from "vitest";

export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bootproof-service-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
