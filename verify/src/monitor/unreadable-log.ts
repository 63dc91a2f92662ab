/**
 * Rule: the log cannot be followed for longer than it may be away: it does not answer, its quorum is not met, its files
 * do not hash to its checkpoint.
 * @module
 */
import { makeAlert, type Alert } from "./alert.ts";

/** A log that cannot be followed. */
export interface Failing {
  readonly origin: string;
  /** When that began, in POSIX seconds. */
  readonly since: number;
  readonly reason: string;
  /** Seconds that it may take. */
  readonly after: number;
}

/** Reports a log that has been unreadable for too long; once for each time that it becomes so. */
export function unreadableLog({ origin, since, reason, after }: Failing, now: number): Alert[] {
  if (now - since < after) return [];
  const began = new Date(since * 1000).toISOString();
  return [
    makeAlert({
      rule: "unreadable-log",
      severity: "warning",
      origin,
      subject: `since ${began}`,
      entries: [],
      summary: `the log cannot be followed since ${began}`,
      details: { reason },
      observed: now,
    }),
  ];
}
