/**
 * Waiting that an interruption ends.
 * @module
 */
import { setTimeout as wait } from "node:timers/promises";

/** Resolves after so many milliseconds, or as soon as `signal` is aborted. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
}
