/**
 * One measurement as a document for programs. Apart from its text, which needs no more than the registers.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { formatTraceStep, type Measurement, MEASUREMENT_SCHEMA } from "@bootproof/measure";

import type { OpenGuest } from "./open-guest.ts";

/** The document of a measurement; with `trace`, every event and the register before and after it. */
export function measurementDocument(
  { inputs }: Pick<OpenGuest, "inputs">,
  measurement: Measurement<object>,
  trace: boolean,
): object {
  const { platform, shape, registers, coverage, warnings } = measurement;
  const { idBlock, readings } = measurement as { idBlock?: unknown; readings?: unknown };
  return {
    schema: MEASUREMENT_SCHEMA,
    platform,
    shape,
    registers,
    inputs,
    coverage,
    warnings,
    ...(readings !== undefined && { idBlock, readings }),
    ...(trace && {
      start: startValues(measurement),
      events: Array.from(measurement.trace(), formatTraceStep),
    }),
  };
}

function startValues({ start }: Measurement<object>): object {
  return Object.fromEntries(Object.entries(start).map(([name, value]) => [name, formatHex(value)]));
}
