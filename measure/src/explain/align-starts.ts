/**
 * Launches whose events begin at different points: one measured from an image, the other from a digest that stands for
 * its pages. Where the first passes through the second's start, the events behind that point compare.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { replay } from "../replay.ts";
import type { TraceRule } from "../trace-replay.ts";
import type { Side } from "./side.ts";

type Values = Readonly<Record<string, string>>;

/** Both sides, cut to the events behind the later start where there is such a point; else as they are. */
export function alignStarts(a: Side, b: Side, rule: TraceRule | undefined): readonly [Side, Side] {
  const extend = rule?.extend;
  if (rule === undefined || extend === undefined || sameStart(a, b, rule)) return [a, b];
  const own = format(rule.start);
  return [cut(a, b.start ?? own, rule.start, extend) ?? a, cut(b, a.start ?? own, rule.start, extend) ?? b];
}

/** Whether two sides begin with the same register values. */
export function sameStart(a: Side, b: Side, { start }: Pick<TraceRule, "start">): boolean {
  const own = format(start);
  return key(a.start ?? own) === key(b.start ?? own);
}

/** A side without the events before its registers have these values; undefined when they never do. */
function cut(
  side: Side,
  target: Values,
  start: TraceRule["start"],
  extend: NonNullable<TraceRule["extend"]>,
): Side | undefined {
  const { events } = side;
  if (events === undefined || (side.start !== undefined && key(side.start) !== key(format(start))))
    return undefined;
  const wanted = key(target);
  let registers = start;
  for (const [index, event] of events.entries()) {
    registers = { ...registers, ...replay(registers, extend, [event]) };
    if (key(format(registers)) === wanted) return { ...side, start: target, events: events.slice(index + 1) };
  }
  return undefined;
}

const format = (registers: TraceRule["start"]): Values =>
  Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, formatHex(value)]));
const key = (values: Values): string => JSON.stringify(Object.entries(values).sort());
