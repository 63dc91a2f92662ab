/**
 * The answer of every `measure` verb (design, section 3).
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { ArtifactRole, MeasuredEvent } from "./event.ts";
import { type ExtendRule, type Registers, traceReplay, type TraceStep } from "./replay.ts";

/** An input that a register sees, and through what. */
export interface CoveredInput {
  readonly input: string;
  readonly register: string;
  readonly through: string;
}

/** An input that no register sees, and why. */
export interface UncoveredInput {
  readonly input: string;
  readonly why: string;
}

/** Which inputs the registers see, and which nobody does. */
export interface Coverage {
  readonly covered: readonly CoveredInput[];
  readonly notCovered: readonly UncoveredInput[];
}

/** Something that a person should know about an answer that is nevertheless exact. */
export interface MeasureWarning {
  readonly code: string;
  readonly message: string;
  readonly artifact?: ArtifactRole;
}

/** Passes on the warnings of many measurements, each once; two are the same when they say the same. */
export function eachOnce(
  warn: (warning: MeasureWarning) => void,
): (warnings: readonly MeasureWarning[]) => void {
  const said = new Set<string>();
  return (warnings) => {
    for (const warning of warnings) if (!said.has(warning.message)) warn(warning);
    for (const { message } of warnings) said.add(message);
  };
}

/** Predicted register values of one platform and shape. */
export interface Measurement<S, E extends MeasuredEvent = MeasuredEvent> {
  readonly platform: string;
  readonly shape: S;
  /** Lower-case hex by register name. */
  readonly registers: Readonly<Record<string, string>>;
  /** Register values before the first event: not the platform's own where firmware is known by its digest alone. */
  readonly start: Registers;
  /** Made when first asked for: a digest needs no event objects. */
  readonly events: readonly E[];
  readonly coverage: Coverage;
  readonly warnings: readonly MeasureWarning[];
  /** Every event with its register before and after, through the replay core. */
  trace(): Iterable<TraceStep<E>>;
}

/** What a {@link Measurement} is made from. */
export interface MeasurementParts<S, E extends MeasuredEvent> {
  readonly platform: string;
  readonly shape: S;
  /** Register values, computed by whatever way is fastest; they must equal a replay of the events. */
  readonly registers: Registers;
  readonly start: Registers;
  readonly extend: ExtendRule<E>;
  /** Called anew for every walk over the events. */
  readonly events: () => Iterable<E>;
  readonly coverage: Coverage;
  readonly warnings: readonly MeasureWarning[];
}

/** A measurement whose events are made only when someone looks at them. */
export function makeMeasurement<S, E extends MeasuredEvent>(
  parts: MeasurementParts<S, E>,
): Measurement<S, E> {
  const { platform, shape, registers, coverage, warnings, start, extend } = parts;
  let events: readonly E[] | undefined;
  return {
    platform,
    shape,
    registers: Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, formatHex(value)])),
    start,
    get events() {
      return (events ??= [...parts.events()]);
    },
    coverage,
    warnings,
    trace: () => traceReplay(start, extend, parts.events()),
  };
}
