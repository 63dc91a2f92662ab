/**
 * The one replay core: registers with start values, an ordered list of events, and a platform's extend rule.
 * Whatever explains, compares or searches measurements does it on what this module returns.
 * @module
 */
import type { MeasuredEvent } from "./event.ts";

/** Register values by name. */
export type Registers = Readonly<Record<string, Uint8Array>>;

/** A platform's extend: the register's next value. Must not keep or change `current`. */
export type ExtendRule<E extends MeasuredEvent> = (current: Uint8Array, event: E) => Uint8Array;

/** One step of a trace: an event with the register before and after it. */
export interface TraceStep<E extends MeasuredEvent> {
  readonly event: E;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** The registers after all events. Throws {@link RangeError} when an event names a register without a start value. */
export function replay<E extends MeasuredEvent>(
  start: Registers,
  extend: ExtendRule<E>,
  events: Iterable<E>,
): Registers {
  const registers = new Map(Object.entries(start));
  for (const event of events) registers.set(event.register, extend(current(registers, event), event));
  return Object.fromEntries(registers);
}

/** Like {@link replay}, one step at a time, so that a long trace need not be held in memory. */
export function* traceReplay<E extends MeasuredEvent>(
  start: Registers,
  extend: ExtendRule<E>,
  events: Iterable<E>,
): Generator<TraceStep<E>, Registers> {
  const registers = new Map(Object.entries(start));
  for (const event of events) {
    const before = current(registers, event);
    const after = extend(before, event);
    registers.set(event.register, after);
    yield { event, before, after };
  }
  return Object.fromEntries(registers);
}

function current(registers: ReadonlyMap<string, Uint8Array>, event: MeasuredEvent): Uint8Array {
  const value = registers.get(event.register);
  if (value === undefined) throw new RangeError(`event extends unknown register ${event.register}`);
  return value;
}
