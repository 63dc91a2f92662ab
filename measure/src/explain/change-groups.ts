/**
 * Differences told together: neighbours of one kind from one part of one artifact are one sentence, not a thousand.
 * @module
 */
import type { MeasuredEvent } from "../event.ts";
import type { ChangeKind, EventChange } from "./compare-events.ts";

/** Neighbouring differences of one kind. */
export interface ChangeGroup {
  readonly kind: ChangeKind;
  readonly register: string;
  /** Never empty; in order. */
  readonly changes: readonly EventChange[];
}

/** Groups differences that follow each other and are alike. */
export function groupChanges(changes: readonly EventChange[]): ChangeGroup[] {
  const groups: { kind: ChangeKind; register: string; key: string; changes: EventChange[] }[] = [];
  for (const change of changes) {
    const key = likeness(change);
    const last = groups.at(-1);
    if (last?.key === key) last.changes.push(change);
    else groups.push({ kind: change.kind, register: eventOf(change).register, key, changes: [change] });
  }
  return groups;
}

/** The event that a difference is about: of the first list, where it stands there. */
export function eventOf({ a, b }: EventChange): MeasuredEvent {
  const event = a?.event ?? b?.event;
  if (event === undefined) throw new RangeError("a change without an event");
  return event;
}

function likeness(change: EventChange): string {
  const { register, type, source } = eventOf(change);
  const other = change.kind === "type" ? (change.b?.event.type ?? "") : "";
  return [change.kind, register, type, other, source.artifact, source.section ?? ""].join(" ");
}
