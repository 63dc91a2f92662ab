/**
 * Rules about entries that the other rules cannot judge: those that are no statements, and releases with values that
 * were not compared. They are told at the first, second, fourth, eighth... such entry: whoever fills a log with them
 * makes twenty alerts of a million, and how entries are batched makes no difference.
 * @module
 */
import { makeAlert, type Alert } from "./alert.ts";
import type { MonitorState } from "./monitor-state.ts";
import { registerValues } from "./register-values.ts";
import { isRelease, releaseOf, releaseTitle, type WatchedEntry } from "./watched-entry.ts";
import type { Watched } from "./watched.ts";

/** The counts of a state after one more entry, and what is to be said about it. */
export interface Counted {
  readonly state: MonitorState;
  readonly alerts: readonly Alert[];
}

/** Counts entries that are no statements. */
export function noStatement(
  state: MonitorState,
  { index, statement }: WatchedEntry,
  { origin }: Watched,
  now: number,
): Counted {
  if (statement !== undefined) return { state, alerts: [] };
  const count = state.notStatements + 1;
  const counted = { ...state, notStatements: count };
  if (!isPowerOfTwo(count)) return { state: counted, alerts: [] };
  const alert = makeAlert({
    rule: "no-statement",
    severity: "info",
    origin,
    subject: "entries that are no statements",
    entries: [index],
    summary: `${count} ${count === 1 ? "entry is" : "entries are"} no statement so far; the newest is entry ${index}`,
    details: { count: String(count) },
    observed: now,
  });
  return { state: counted, alerts: [alert] };
}

/** Counts releases that claim values which cannot be derived here, or too many of them. */
export function notCompared(
  state: MonitorState,
  entry: WatchedEntry,
  { origin }: Watched,
  now: number,
): Counted {
  const reason = isRelease(entry)
    ? registerValues(releaseOf(entry).predicate.measurements).incomplete
    : undefined;
  if (!isRelease(entry) || reason === undefined) return { state, alerts: [] };
  const count = state.notCompared + 1;
  const counted = { ...state, notCompared: count };
  if (!isPowerOfTwo(count)) return { state: counted, alerts: [] };
  const alert = makeAlert({
    rule: "not-compared",
    severity: "warning",
    origin,
    subject: "releases with values that were not compared",
    entries: [entry.index],
    summary: `values of ${releaseTitle(entry)} are not compared with other releases: ${reason}`,
    details: { count: String(count), reason },
    observed: now,
  });
  return { state: counted, alerts: [alert] };
}

const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));
