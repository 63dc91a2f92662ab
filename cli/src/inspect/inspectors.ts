/**
 * The kinds of files that `inspect` knows, in the order in which they are tried.
 * @module
 */
import { inspectFirmware, inspectInitrd, inspectKernel } from "./boot-files.ts";
import { inspectKey } from "./key-files.ts";
import type { Inspector } from "./inspection.ts";
import { inspectBundle, inspectCheckpoint, inspectEnvelope } from "./log-files.ts";

type LazyInspector = (...arguments_: Parameters<Inspector>) => Promise<ReturnType<Inspector>>;

/** Every inspector, the ones with the plainest marks first. */
export const INSPECTORS: readonly (Inspector | LazyInspector)[] = [
  inspectBundle,
  inspectEnvelope,
  inspectKey,
  inspectCheckpoint,
  inspectFirmware,
  inspectKernel,
  inspectInitrd,
  async (bytes, file) => (await import("./recipe-files.ts")).inspectLock(bytes, file),
  async (bytes, file) => (await import("./recipe-files.ts")).inspectRecipe(bytes, file),
];
