/**
 * One search from its start to its end, or to where its budget ends.
 * @module
 */
import { Search, type SearchProgress } from "./search.ts";
import { judge, type Solution } from "./solution.ts";
import type { Space, Stage } from "./space.ts";

/** What a search may cost, and who wants to know. */
export interface SolveLimits {
  /** Asked after each climb of at most 512 digests; `false` ends the search. */
  readonly goOn?: ((progress: SearchProgress) => boolean) | undefined;
}

/** Searches for a digest; the bytes in reverse are recognised too, as a slip of whoever copied them. */
export function solve(
  space: Space,
  observed: Uint8Array,
  stages: Iterable<Stage>,
  { goOn = () => true }: SolveLimits = {},
): Solution {
  const search = startSearch(space, observed);
  for (const progress of search.run(stages)) if (!goOn(progress)) break;
  return judge(space, search.result);
}

/** A search whose steps the caller drives, for callers that have other things to do in between. */
export function startSearch(space: Space, observed: Uint8Array): Search {
  return new Search(space, [observed, observed.toReversed()]);
}
