/**
 * One measurement as text.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { MeasuredEvent, Measurement } from "@bootproof/measure";

import { formatTable } from "../report/table.ts";

/** Registers, and with `trace` every event before them. */
export function formatMeasurement(measurement: Measurement<object>, trace: boolean): string {
  const registers = formatTable(Object.entries(measurement.registers));
  return trace ? formatTrace(measurement) + registers : registers;
}

/** Every event, with the register after it. */
export function formatTrace(measurement: Measurement<object>): string {
  const rows: string[][] = [];
  for (const { event, after } of measurement.trace()) {
    const { register, type, guestAddress, digest } = event;
    const address = guestAddress === undefined ? "" : `0x${guestAddress.toString(16)}`;
    rows.push([register, type, address, formatHex(digest), formatHex(after), describeSource(event)]);
  }
  return formatTable(rows, ["register", "type", "guest address", "contents", "after", "what"]);
}

function describeSource({ label, source: { artifact, offset, length } }: MeasuredEvent): string {
  if (offset === undefined) return label;
  const end = length === undefined ? "" : `..0x${(offset + length).toString(16)}`;
  return `${label} (${artifact} 0x${offset.toString(16)}${end})`;
}
