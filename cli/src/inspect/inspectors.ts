/**
 * The kinds of files that `inspect` knows, in the order in which they are tried.
 * @module
 */
import { inspectFirmware, inspectInitrd, inspectKernel } from "./boot-files.ts";
import type { Inspector } from "./inspection.ts";
import { inspectBundle, inspectCheckpoint, inspectEnvelope } from "./log-files.ts";
import { inspectKey, inspectLock, inspectRecipe } from "./text-files.ts";

/** Every inspector, the ones with the plainest marks first. */
export const INSPECTORS: readonly Inspector[] = [
  inspectBundle,
  inspectEnvelope,
  inspectKey,
  inspectCheckpoint,
  inspectFirmware,
  inspectKernel,
  inspectInitrd,
  inspectLock,
  inspectRecipe,
];
