/**
 * Plain aligned tables: columns two spaces apart, no frames, so that `awk` reads them as well as people.
 * @module
 */
import { printable } from "./printable.ts";

/** Formats rows under an optional heading; the last column is never padded. */
export function formatTable(rows: readonly (readonly string[])[], heading?: readonly string[]): string {
  const shown = (heading === undefined ? rows : [heading.map((name) => name.toUpperCase()), ...rows]).map(
    (row) => row.map((cell) => printable(cell).replaceAll("\n", " ")),
  );
  const widths: number[] = [];
  for (const row of shown)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return shown.map((row) => `${formatRow(row, widths)}\n`).join("");
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();
}

/** Formats name and value pairs, one a line, values aligned. */
export function formatFields(fields: readonly (readonly [string, string])[]): string {
  return formatTable(fields.map(([name, value]) => [name, value]));
}

/** A byte count as people say it: `4 MiB`, `18.3 KiB`, `12 B`. */
export function formatSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? String(value) : value.toFixed(1)} ${units[unit] ?? "B"}`;
}

/** An elapsed time as people say it: `0.4 s`, `12 s`, `3 min 05 s`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (Math.round(seconds) < 60) return `${String(Math.round(seconds))} s`;
  const whole = Math.round(seconds);
  return `${String(Math.floor(whole / 60))} min ${String(whole % 60).padStart(2, "0")} s`;
}
