/**
 * Whether the events of a document lead from the platform's start to the document's registers.
 * @module
 */
import { equalBytes, formatHex, ParseError, parseHex } from "@bootproof/bytes";
import type { MeasuredEvent } from "./event.ts";
import { type Registers, traceReplay } from "./replay.ts";

/** How a platform extends, for checking its traces. */
export interface TraceRule {
  readonly start: Registers;
  /** The register after an event; throws {@link ParseError} for an event that the platform does not have. */
  readonly extend?: (current: Uint8Array, event: MeasuredEvent) => Uint8Array;
  /**
   * Where `extend` is absent, because the register is a hash of bytes that a trace does not hold: whether an event
   * leads from one value to the next, as far as its digest shows. Every event must then say both.
   */
  readonly leads?: (before: Uint8Array, event: MeasuredEvent, after: Uint8Array) => boolean;
}

/** An event of a document, with the register before and after it as the document says. */
export interface ClaimedStep {
  readonly event: MeasuredEvent;
  readonly index: number;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
}

/** Demands that the events lead from the platform's start to the registers, over the steps that they claim. */
export function checkReplay(
  claimed: readonly ClaimedStep[],
  platformRule: TraceRule,
  { registers, start }: RegisterClaims,
): void {
  const rule = start === undefined ? platformRule : { ...platformRule, start: startOf(platformRule, start) };
  const unknown = claimed.find(({ event }) => !Object.hasOwn(rule.start, event.register));
  if (unknown !== undefined)
    throw new ParseError("OUT_OF_RANGE", `event ${unknown.index} register`, {
      expected: Object.keys(rule.start).join(", "),
      found: unknown.event.register,
    });
  const reached =
    rule.extend === undefined ? followChain(claimed, rule) : replayAll(claimed, rule.start, rule.extend);
  for (const [name, value] of Object.entries(registers)) {
    const found = reached.get(name);
    if (found === undefined || formatHex(found) !== value)
      throw new ParseError("BAD_DIGEST", `register ${name}, replayed from the document's own events`, {
        expected: value,
        found: found === undefined ? "no such register" : formatHex(found),
      });
  }
}

/** What a document says of its registers: their values at the end, and before the first event. */
export interface RegisterClaims {
  readonly registers: Readonly<Record<string, string>>;
  readonly start: Readonly<Record<string, string>> | undefined;
}

/** The document's own start values, which must be of the platform's registers. */
function startOf({ start: own }: TraceRule, start: Readonly<Record<string, string>>): Registers {
  for (const [name, value] of Object.entries(start))
    if (!Object.hasOwn(own, name) || own[name]?.length !== value.length / 2)
      throw new ParseError("OUT_OF_RANGE", `start of register ${name}`, {
        expected: `a value of ${Object.keys(own).join(" or ")}`,
        found: value,
      });
  return {
    ...own,
    ...Object.fromEntries(Object.entries(start).map(([name, hex]) => [name, parseHex(hex, name)])),
  };
}

function replayAll(
  claimed: readonly ClaimedStep[],
  start: Registers,
  extend: NonNullable<TraceRule["extend"]>,
): ReadonlyMap<string, Uint8Array> {
  const reached = new Map(Object.entries(start));
  let index = 0;
  for (const { event, before, after } of traceReplay(
    start,
    extend,
    claimed.map((step) => step.event),
  )) {
    const claim = claimed[index];
    agrees(claim?.before, before, `event ${index} before`);
    agrees(claim?.after, after, `event ${index} after`);
    reached.set(event.register, after);
    index++;
  }
  return reached;
}

/** Each event must start where the one before it ended, and lead on as far as its digest shows. */
function followChain(
  claimed: readonly ClaimedStep[],
  { start, leads }: TraceRule,
): ReadonlyMap<string, Uint8Array> {
  const reached = new Map(Object.entries(start));
  for (const { event, index, before, after } of claimed) {
    if (before === undefined || after === undefined)
      throw new ParseError(
        "MISSING",
        `event ${index} before and after, without which the trace cannot be followed`,
      );
    agrees(before, reached.get(event.register) ?? before, `event ${index} before`);
    if (leads?.(before, event, after) === false)
      throw new ParseError("BAD_DIGEST", `event ${index} after, replayed from the document's own events`);
    reached.set(event.register, after);
  }
  return reached;
}

function agrees(claimed: Uint8Array | undefined, replayed: Uint8Array, field: string): void {
  if (claimed === undefined || equalBytes(claimed, replayed)) return;
  throw new ParseError("BAD_DIGEST", `${field}, replayed from the document's own events`, {
    expected: formatHex(claimed),
    found: formatHex(replayed),
  });
}
