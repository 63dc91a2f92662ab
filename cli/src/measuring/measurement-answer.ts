/**
 * One measurement, for people and for programs.
 * @module
 */
import {
  formatTraceStep,
  type MeasuredEvent,
  type Measurement,
  MEASUREMENT_SCHEMA,
} from "@bootproof/measure";

import { formatTable } from "../report/table.ts";
import type { OpenGuest } from "./open-guest.ts";

/** Registers, and with `trace` every event before them. */
export function formatMeasurement(measurement: Measurement<object>, trace: boolean): string {
  const registers = formatTable(Object.entries(measurement.registers));
  if (!trace) return registers;
  const rows: string[][] = [];
  for (const { event, after } of measurement.trace()) {
    const { register, type, guestAddress, digest } = event;
    const address = guestAddress === undefined ? "" : `0x${guestAddress.toString(16)}`;
    rows.push([register, type, address, hex(digest), hex(after), describeSource(event)]);
  }
  return formatTable(rows, ["register", "type", "guest address", "contents", "after", "what"]) + registers;
}

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
  return Object.fromEntries(Object.entries(start).map(([name, value]) => [name, hex(value)]));
}

function describeSource({ label, source: { artifact, offset, length } }: MeasuredEvent): string {
  if (offset === undefined) return label;
  const end = length === undefined ? "" : `..0x${(offset + length).toString(16)}`;
  return `${label} (${artifact} 0x${offset.toString(16)}${end})`;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
