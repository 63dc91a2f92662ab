/**
 * Rule: a log only grows. A checkpoint that is smaller than one seen before, or whose tree does not begin with that
 * one's, contradicts it: both are signed, and both are evidence.
 * @module
 */
import { formatHex, type Sha256 } from "@bootproof/bytes";
import { makeAlert, type Alert } from "./alert.ts";
import { checkpointText, type ShownCheckpoint } from "./shown-checkpoint.ts";

/** Two checkpoints that one key signed. */
export interface TwoCheckpoints {
  readonly origin: string;
  readonly seen: ShownCheckpoint;
  readonly shown: ShownCheckpoint;
  /** Who showed the second. */
  readonly by: string;
}

/** Reports a log that shows a smaller checkpoint than before. */
export function shrunkLog({ origin, seen, shown, by }: TwoCheckpoints, now: number): Alert {
  return makeAlert({
    rule: "shrunk-log",
    severity: "alarm",
    origin,
    subject: `${checkpointText(shown)}, after ${checkpointText(seen)}`,
    entries: [],
    summary: `the log shrank from ${seen.size} entries to ${shown.size}`,
    details: { seen: checkpointText(seen), shown: checkpointText(shown), by },
    observed: now,
  });
}

/** Reports two trees of one log; `root` is the one that the larger has at the size of the smaller. */
export function forkedLog({ origin, seen, shown, by }: TwoCheckpoints, root: Sha256, now: number): Alert {
  const at = seen.size < shown.size ? seen.size : shown.size;
  return makeAlert({
    rule: "forked-log",
    severity: "alarm",
    origin,
    subject: `${checkpointText(seen)}, and ${checkpointText(shown)}`,
    entries: [],
    summary: `the log signed two trees that differ in their first ${at} entries`,
    details: {
      seen: checkpointText(seen),
      shown: checkpointText(shown),
      by,
      "root of the larger at that size": formatHex(root),
    },
    observed: now,
  });
}
