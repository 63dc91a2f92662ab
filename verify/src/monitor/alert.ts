/**
 * What a monitor says when something in a log needs somebody's eyes. The ID of an alert follows from what it is about
 * and not from when it was seen, so whoever gets it twice can tell.
 * @module
 */
import { formatCanonicalJson, formatHex, sha256, utf8 } from "@bootproof/bytes";

/** How soon somebody should look. */
export const SEVERITIES = ["info", "warning", "alarm"] as const;

/** One of {@link SEVERITIES}. */
export type Severity = (typeof SEVERITIES)[number];

/** What an alert may be about; each is a rule with a file of its own. */
export const ALERT_RULES = [
  "new-statement",
  "conflicting-statements",
  "same-measurement",
  "rebuild-mismatch",
  "unconfirmed-release",
  "revoked-key",
  "no-statement",
  "not-compared",
  "stale-checkpoint",
  "shrunk-log",
  "forked-log",
  "witness-ahead",
  "unreadable-log",
  "test",
] as const;

/** One of {@link ALERT_RULES}. */
export type AlertRule = (typeof ALERT_RULES)[number];

/** Something that a rule found. Its texts come from whoever wrote to the log. */
export interface Alert {
  /** SHA-256 of rule, log, subject and entries, in hex. */
  readonly id: string;
  readonly rule: AlertRule;
  readonly severity: Severity;
  /** The log's origin. */
  readonly origin: string;
  /** What it is about: a release, a key, a checkpoint. */
  readonly subject: string;
  /** Indices of the entries that it is about, in ascending order. */
  readonly entries: readonly bigint[];
  /** What happened, in a sentence. */
  readonly summary: string;
  readonly details: Readonly<Record<string, string>>;
  /** When the monitor saw it, in POSIX seconds. */
  readonly observed: number;
}

/** Longest text of an alert: a hostile entry may be all one name. */
const MAX_TEXT = 500;

/** An alert with its ID; texts are cut to a bounded length. */
export function makeAlert(found: Omit<Alert, "id">): Alert {
  const { rule, origin, entries } = found;
  const subject = clip(found.subject);
  const about = ["bootproof/alert/1", origin.toWellFormed(), rule, subject, entries.map(String)];
  const details = Object.entries(found.details)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => [name, clip(text)]);
  return {
    ...found,
    id: formatHex(sha256(utf8(formatCanonicalJson(about)))),
    subject,
    summary: clip(found.summary),
    details: Object.fromEntries(details) as Record<string, string>,
  };
}

function clip(text: string): string {
  const whole = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 3)}...`;
  return whole.toWellFormed();
}
