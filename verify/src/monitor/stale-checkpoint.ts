/**
 * Rule: the log's checkpoint is old. By what witnesses cosigned when the policy asks for them, else by how long the
 * monitor has seen the same one. A log that is frozen for one reader looks just so.
 * @module
 */
import { makeAlert, type Alert } from "./alert.ts";
import { checkpointText, type ShownCheckpoint } from "./shown-checkpoint.ts";

/** A checkpoint and how old it may be. */
export interface Freshness {
  readonly origin: string;
  readonly checkpoint: ShownCheckpoint;
  /** When it was the newest for certain, in POSIX seconds. */
  readonly fresh: number;
  /** How that is known. */
  readonly by: "cosignatures" | "observation";
  /** Seconds that it may be old. */
  readonly after: number;
}

/** Whether the checkpoint is older than it may be. */
export const isStale = ({ fresh, after }: Freshness, now: number): boolean => now - fresh > after;

/** Reports a stale checkpoint; the same one gets the same alert for as long as its freshness is the same. */
export function staleCheckpoint(freshness: Freshness, now: number): Alert[] {
  if (!isStale(freshness, now)) return [];
  const { origin, checkpoint, fresh, by, after } = freshness;
  const since = new Date(fresh * 1000).toISOString();
  const how = by === "cosignatures" ? "was last cosigned" : "is unchanged since";
  return [
    makeAlert({
      rule: "stale-checkpoint",
      severity: "warning",
      origin,
      subject: `${checkpointText(checkpoint)}, ${by} of ${since}`,
      entries: [],
      summary: `the checkpoint of size ${checkpoint.size} ${how} ${since}`,
      details: { fresh: since, by, "limit in seconds": String(after) },
      observed: now,
    }),
  ];
}
