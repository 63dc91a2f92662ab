/**
 * Drives a search: shows where it is, and ends it when its time is over or the user interrupts.
 * @module
 */
import { setImmediate } from "node:timers/promises";

import { amdStages, judge, type Solution, type Space, startSearch } from "@bootproof/measure/solve";

import type { Context } from "../frame/context.ts";

/** A solution and how long it took. */
export interface TimedSolution extends Solution {
  readonly seconds: number;
}

/** Interrupts and timers are seen this often. */
const BREATH_MS = 50;

/** Searches for at most `effort` seconds. The first two stages always end: they take well under a second. */
export async function runSearch(
  context: Context,
  space: Space,
  observed: Uint8Array,
  effort: number,
): Promise<TimedSolution> {
  const search = startSearch(space, observed);
  const stages = amdStages(space);
  const always = new Set(stages.slice(0, 2).map(({ name }) => name));
  const start = performance.now();
  let breath = start + BREATH_MS;
  await context.progress.during("searching for the guest", async (step) => {
    for (const { stage, digests } of search.run(stages)) {
      const now = performance.now();
      if (now < breath) continue;
      breath = now + BREATH_MS;
      step.update(`${stage}: ${digests.toLocaleString("en")} digests`);
      await setImmediate();
      context.signal.throwIfAborted();
      if (now - start > effort * 1000 && !always.has(stage)) break;
    }
    step.done(`${search.result.digests.toLocaleString("en")} digests`);
  });
  return { ...judge(space, search.result), seconds: (performance.now() - start) / 1000 };
}
