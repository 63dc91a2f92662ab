/**
 * Alerts as text for people and as documents for programs. Their texts come from whoever wrote to the log.
 * @module
 */
import type { Alert } from "@bootproof/verify/monitor";

import { paint, type Paint } from "../report/paint.ts";
import { oneLine } from "../report/printable.ts";

/** An alert as programs get it, on stdout, over webhooks and on standard input. */
export interface AlertDocument extends Omit<Alert, "entries" | "observed" | "origin"> {
  readonly schema: "bootproof/alert/1";
  readonly log: string;
  readonly entries: readonly number[];
  /** RFC 3339. */
  readonly observed: string;
}

const PAINTS: Readonly<Record<Alert["severity"], Paint>> = { info: "cyan", warning: "yellow", alarm: "red" };

/** The document of an alert. */
export function alertDocument(alert: Alert): AlertDocument {
  const { id, rule, severity, origin, subject, entries, summary, details, observed } = alert;
  return {
    schema: "bootproof/alert/1",
    id,
    rule,
    severity,
    log: origin,
    subject,
    entries: entries.map(Number),
    summary,
    details,
    observed: new Date(observed * 1000).toISOString(),
  };
}

/** An alert in a few lines: what and how bad, where, the details, and the ID. */
export function formatAlert(
  { id, rule, severity, log, summary, entries, details }: AlertDocument,
  color: boolean,
): string {
  const numbers = entries.join(", ");
  const where = entries.length === 0 ? "" : ` (${entries.length === 1 ? "entry" : "entries"} ${numbers})`;
  const lines = [
    `${paint(severity.padEnd(7), PAINTS[severity], color)}  ${rule}  ${oneLine(log)}: ${oneLine(summary, 600)}${where}`,
    ...Object.entries(details).map(([name, text]) => `  ${oneLine(name)}: ${oneLine(text, 600)}`),
    `  id: ${id}`,
  ];
  return `${lines.join("\n")}\n`;
}
