/**
 * Alerts as an Atom feed (RFC 4287). IDs are UUIDs made from the alert's ID, so readers show each alert once, and
 * `updated` is when it was first seen. Names in it come from whoever wrote to the log: everything is escaped, and what
 * XML cannot hold is spelt out.
 * @module
 */
import { createHash } from "node:crypto";

import { printable } from "../report/printable.ts";
import type { AlertDocument } from "./alert-text.ts";

/** A feed without its entries. */
export interface FeedHead {
  readonly title: string;
  readonly link: string | undefined;
  /** Makes the feed's own ID. */
  readonly name: string;
  /** When the feed was begun, for as long as nothing is in it. */
  readonly begun: string;
}

/** The text of a feed; alerts newest first. */
export function formatAtom({ title, link, name, begun }: FeedHead, alerts: readonly AlertDocument[]): string {
  const updated =
    alerts
      .map(({ observed }) => observed)
      .sort()
      .at(-1) ?? begun;
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${uuid(createHash("sha256").update(`feed ${name}`).digest("hex"))}</id>
  <title>${escape(title)}</title>
  <updated>${escape(updated)}</updated>
  <author><name>bootproof watch</name></author>
${link === undefined ? "" : `  <link rel="self" href="${escape(link)}"/>\n`}${alerts.map(formatEntry).join("")}</feed>
`;
}

function formatEntry({
  id,
  rule,
  severity,
  log,
  summary,
  entries,
  details,
  observed,
}: AlertDocument): string {
  const lines = [
    `log: ${log}`,
    ...(entries.length === 0 ? [] : [`entries: ${entries.join(", ")}`]),
    ...Object.entries(details).map(([name, text]) => `${name}: ${text}`),
    `id: ${id}`,
  ];
  return `  <entry>
    <id>${uuid(id)}</id>
    <title>${escape(`${severity}: ${summary}`)}</title>
    <updated>${escape(observed)}</updated>
    <category term="${escape(rule)}"/>
    <content type="text">${escape(lines.join("\n"))}</content>
  </entry>
`;
}

/** A UUID of version 8 (RFC 9562: made by the application) from the first half of a SHA-256 in hex. */
function uuid(hex: string): string {
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
  ];
  return `urn:uuid:${parts.join("-")}-${hex.slice(20, 32)}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

function escape(text: string): string {
  // XML 1.0 has no place for these two, whatever is written in their stead.
  const legal = printable(text.toWellFormed()).replaceAll(/[\ufffe\uffff]/g, "\ufffd");
  return legal.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
