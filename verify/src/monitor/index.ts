/**
 * @bootproof/verify/monitor: what a monitor of a log looks for, and how it remembers.
 * @module
 */
export { ALERT_RULES, makeAlert, SEVERITIES, type Alert, type AlertRule, type Severity } from "./alert.ts";
export type { MonitorIndex, ReadAgain } from "./history.ts";
export { forkedLog, shrunkLog, type TwoCheckpoints } from "./log-history.ts";
export {
  formatMonitorState,
  NOTHING_SEEN,
  parseMonitorState,
  withRaised,
  type KnownCheckpoint,
  type MonitorState,
  type SeenBy,
  type WitnessAhead,
} from "./monitor-state.ts";
export { Monitor, type Judged } from "./monitor.ts";
export { checkpointText, quorumTime, type ShownCheckpoint } from "./shown-checkpoint.ts";
export { isStale, staleCheckpoint, type Freshness } from "./stale-checkpoint.ts";
export { unreadableLog, type Failing } from "./unreadable-log.ts";
export { type PlacedEntry } from "./watched-entry.ts";
export { isMine, type Watched } from "./watched.ts";
export { witnessAhead, type AheadOfLog } from "./witness-ahead.ts";
