/**
 * How many earlier entries a rule reads again, at most.
 * @module
 */

/** Reading each costs a bundle of the log; whoever repeats a claim a thousand times must not make us read all of them. */
const EACH_END = 32;

/** The first and the last of a list of entries; all when there are few. */
export const bothEnds = (entries: readonly bigint[]): readonly bigint[] =>
  entries.length <= 2 * EACH_END ? entries : [...entries.slice(0, EACH_END), ...entries.slice(-EACH_END)];
