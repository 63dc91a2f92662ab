/**
 * Rule: a witness shows a larger checkpoint than the log does, and goes on doing so: the log withholds entries from this
 * reader. For a short while that is everyday, as witnesses cosign before the log publishes.
 * @module
 */
import { makeAlert, type Alert } from "./alert.ts";
import { checkpointText, type ShownCheckpoint } from "./shown-checkpoint.ts";

/** A witness's checkpoint beside the log's own. */
export interface AheadOfLog {
  readonly origin: string;
  readonly witness: string;
  /** The larger one, which the log's key signed too. */
  readonly shown: ShownCheckpoint;
  /** What the log shows. */
  readonly seen: ShownCheckpoint;
  /** Since when the witness is known to have it, in POSIX seconds. */
  readonly since: number;
  /** Seconds that a log may take to publish what witnesses cosigned. */
  readonly after: number;
}

/** Reports a witness that has been ahead for too long. */
export function witnessAhead(
  { origin, witness, shown, seen, since, after }: AheadOfLog,
  now: number,
): Alert[] {
  if (now - since <= after) return [];
  return [
    makeAlert({
      rule: "witness-ahead",
      severity: "alarm",
      origin,
      subject: `${witness}: ${checkpointText(shown)}`,
      entries: [],
      summary: `the witness ${witness} shows ${shown.size} entries and the log only ${seen.size}`,
      details: {
        shown: checkpointText(shown),
        seen: checkpointText(seen),
        since: new Date(since * 1000).toISOString(),
      },
      observed: now,
    }),
  ];
}
