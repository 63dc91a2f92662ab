/**
 * Two ordered lists of events, aligned: which events stand on one side only, which moved, which changed in what.
 * Knows no platform. Pairs events by what they are, then by where they are, then by what they hold, each through a
 * map; work grows with n log n, so 20,000 hostile events cost milliseconds.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";
import { longestRising } from "./rising-run.ts";

/** In what way one event differs between two lists; the first that applies. */
export type ChangeKind =
  /** Only the first list has it. */
  | "removed"
  /** Only the second list has it. */
  | "inserted"
  /** Both have it, in another order. */
  | "reordered"
  /** The same place and another type. */
  | "type"
  /** The same type and contents at another guest address. */
  | "address"
  /** The same place and type, other contents. */
  | "contents";

/** An event at its position in its list. */
export interface PlacedEvent {
  readonly index: number;
  readonly event: MeasuredEvent;
}

/** One difference; `a` is absent for inserted events, `b` for removed ones. */
export interface EventChange {
  readonly kind: ChangeKind;
  readonly a?: PlacedEvent;
  readonly b?: PlacedEvent;
}

/** Every difference between two lists, in the order in which registers meet them. */
export function compareEvents(a: readonly MeasuredEvent[], b: readonly MeasuredEvent[]): EventChange[] {
  const start = sharedStart(a, b);
  const end = sharedEnd(a, b, start);
  const [left, right] = [place(a, start, end), place(b, start, end)];
  const pairs = pairUp(left, right);
  const changes = [...oneSided(left, right, pairs), ...changedPairs(pairs)];
  return changes.sort((one, other) => position(one) - position(other) || side(one) - side(other));
}

type Pairs = ReadonlyMap<PlacedEvent, PlacedEvent>;

const identity = (event: MeasuredEvent): string =>
  `${whereabouts(event)} ${event.type} ${formatHex(event.digest)}`;

/** The place of an event: its address where it has one, else the part of the artifact it comes from. */
function whereabouts({
  register,
  guestAddress,
  source: { artifact, section, offset },
}: MeasuredEvent): string {
  return guestAddress === undefined
    ? `${register} ${artifact} ${section ?? ""} ${offset ?? ""}`
    : `${register} 0x${guestAddress.toString(16)}`;
}

const substance = ({ register, type, digest, source }: MeasuredEvent): string =>
  `${register} ${type} ${source.artifact} ${formatHex(digest)}`;

function same(one: MeasuredEvent | undefined, other: MeasuredEvent | undefined): boolean {
  return one !== undefined && other !== undefined && identity(one) === identity(other);
}

function sharedStart(a: readonly MeasuredEvent[], b: readonly MeasuredEvent[]): number {
  let start = 0;
  while (same(a[start], b[start])) start++;
  return start;
}

function sharedEnd(a: readonly MeasuredEvent[], b: readonly MeasuredEvent[], start: number): number {
  const most = Math.min(a.length, b.length) - start;
  let end = 0;
  while (end < most && same(a[a.length - 1 - end], b[b.length - 1 - end])) end++;
  return end;
}

function place(events: readonly MeasuredEvent[], start: number, end: number): PlacedEvent[] {
  return events.slice(start, events.length - end).map((event, at) => ({ index: start + at, event }));
}

/** Pairs in three rounds, each over what the round before left: identical, same place, same substance. */
function pairUp(left: readonly PlacedEvent[], right: readonly PlacedEvent[]): Pairs {
  const pairs = new Map<PlacedEvent, PlacedEvent>();
  const taken = new Set<PlacedEvent>();
  for (const key of [identity, whereabouts, substance]) {
    const waiting = new Map<string, PlacedEvent[]>();
    // Reversed, so that equal ones pair first with first by taking from the end.
    for (const placed of right.toReversed()) {
      if (taken.has(placed)) continue;
      const name = key(placed.event);
      const queue = waiting.get(name);
      if (queue === undefined) waiting.set(name, [placed]);
      else queue.push(placed);
    }
    for (const placed of left) {
      if (pairs.has(placed)) continue;
      const partner = waiting.get(key(placed.event))?.pop();
      if (partner === undefined) continue;
      pairs.set(placed, partner);
      taken.add(partner);
    }
  }
  return pairs;
}

function oneSided(left: readonly PlacedEvent[], right: readonly PlacedEvent[], pairs: Pairs): EventChange[] {
  const taken = new Set(pairs.values());
  return [
    ...left.filter((placed) => !pairs.has(placed)).map((a) => ({ kind: "removed", a }) as const),
    ...right.filter((placed) => !taken.has(placed)).map((b) => ({ kind: "inserted", b }) as const),
  ];
}

function changedPairs(pairs: Pairs): EventChange[] {
  const list = [...pairs].sort(([one], [other]) => one.index - other.index);
  const inOrder = new Set(longestRising(list.map(([, b]) => b.index)));
  return list.flatMap(([a, b], at): EventChange[] => {
    const kind = inOrder.has(at) ? changeOf(a.event, b.event) : "reordered";
    return kind === undefined ? [] : [{ kind, a, b }];
  });
}

function changeOf(a: MeasuredEvent, b: MeasuredEvent): ChangeKind | undefined {
  if (a.type !== b.type) return "type";
  if (a.guestAddress !== b.guestAddress) return "address";
  return formatHex(a.digest) === formatHex(b.digest) ? undefined : "contents";
}

const position = ({ a, b }: EventChange): number => Math.min(a?.index ?? Infinity, b?.index ?? Infinity);
const side = ({ a }: EventChange): number => (a === undefined ? 1 : 0);
