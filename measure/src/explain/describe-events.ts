/**
 * Events that differ, in words that fit every platform.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";
import { type ChangeGroup, eventOf } from "./change-groups.ts";
import type { ChangeKind, EventChange } from "./compare-events.ts";
import type { Finding } from "./explanation.ts";

/** A group of differences without its events: what is left to say when there are thousands. */
export interface GroupSummary {
  readonly kind: ChangeKind;
  readonly register: string;
  readonly type: string;
  readonly label: string;
  readonly count: number;
  /** Position of the first event, in the list that has it (A's where both do). */
  readonly eventIndex: number;
  /** Guest address of the first event. */
  readonly guestAddress?: string;
}

/** A group in one line. */
export function summarise(group: ChangeGroup): GroupSummary {
  const event = eventOf(first(group));
  return {
    kind: group.kind,
    register: group.register,
    type: event.type,
    label: event.label,
    count: group.changes.length,
    eventIndex: indexOf(group),
    ...(event.guestAddress !== undefined && { guestAddress: hex(event.guestAddress) }),
  };
}

/** A group as a finding, for what no platform has better words for. */
export function describeGroup(group: ChangeGroup): Finding {
  const change = first(group);
  const event = eventOf(change);
  const count = group.changes.length;
  const name = `${event.type} event "${event.label}"${place(event)}`;
  return {
    subject: "event",
    what:
      count === 1 ? sentence(group.kind, name) : `${sentence(group.kind, name)}, and ${count - 1} more alike`,
    ...values(group.kind, change),
    details: source(event),
    register: group.register,
    eventIndex: indexOf(group),
  };
}

/** Position of the first event of a group, in the list that has it. */
export function indexOf(group: ChangeGroup): number {
  const { a, b } = first(group);
  return a?.index ?? b?.index ?? 0;
}

function first({ changes: [change] }: ChangeGroup): EventChange {
  if (change === undefined) throw new RangeError("a group without changes");
  return change;
}

function sentence(kind: ChangeKind, name: string): string {
  switch (kind) {
    case "inserted":
      return `only B has the ${name}`;
    case "removed":
      return `only A has the ${name}`;
    case "reordered":
      return `the ${name} comes at another position`;
    case "type":
      return `the ${name} has another type`;
    case "address":
      return `the ${name} has another guest address`;
    case "contents":
      return `the ${name} has other contents`;
  }
}

function values(kind: ChangeKind, { a, b }: EventChange): { a?: string; b?: string } {
  if (a === undefined || b === undefined) return {};
  const value = ({ event, index }: { event: MeasuredEvent; index: number }): string => {
    if (kind === "reordered") return `position ${index}`;
    if (kind === "type") return event.type;
    return kind === "address" ? hex(event.guestAddress ?? 0n) : formatHex(event.digest);
  };
  return { a: value(a), b: value(b) };
}

const place = ({ guestAddress }: MeasuredEvent): string =>
  guestAddress === undefined ? "" : ` at guest address ${hex(guestAddress)}`;

function source({ source: { artifact, section, offset, length } }: MeasuredEvent): string[] {
  const bytes =
    offset === undefined ? "" : ` bytes 0x${offset.toString(16)}..0x${(offset + (length ?? 0)).toString(16)}`;
  return [`from ${artifact}${section === undefined ? "" : `, ${section}`}${bytes}`];
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
