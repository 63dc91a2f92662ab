/**
 * Many shapes of one guest, as a table, as CSV and as JSON.
 * @module
 */
import type { MeasureWarning } from "@bootproof/measure";

import { formatTable } from "../report/table.ts";
import type { GuestRow, OpenGuest } from "./open-guest.ts";

/** Schema of a matrix. */
const MATRIX_SCHEMA = "bootproof/matrix/1";

/** A row's cells by column. */
type Cells = Readonly<Record<string, string>>;

/** Columns in their order; those that are the same in every row are left out of the table. */
const COLUMNS = ["profile", "reading", "vcpus", "cpu", "cpuSignature", "guestFeatures"] as const;

/** A table: what varies, and the launch digest. */
export function formatMatrix(rows: readonly GuestRow[]): string {
  const cells = rows.map(cellsOf);
  const columns = COLUMNS.filter((column) => new Set(cells.map((row) => row[column])).size > 1);
  return formatTable(
    cells.map((row) => [...columns, "launchDigest"].map((column) => row[column] ?? "")),
    [...columns.map((column) => HEADINGS[column]), "launchDigest"],
  );
}

/** CSV (RFC 4180): a heading, every column, one row a line. */
export function formatCsv(rows: readonly GuestRow[]): string {
  const columns = [...COLUMNS, "launchDigest"] as const;
  const lines = rows.map((row) => {
    const cells = cellsOf(row);
    return columns.map((column) => csvField(cells[column] ?? "")).join(",");
  });
  return [columns.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

/** The document of a matrix. */
export function matrixDocument(
  { platform, inputs }: OpenGuest,
  rows: readonly GuestRow[],
  warnings: readonly MeasureWarning[],
): object {
  return {
    schema: MATRIX_SCHEMA,
    platform,
    inputs,
    rows: rows.map(({ shape, launchDigest }) => ({ shape, registers: { launchDigest } })),
    warnings,
  };
}

const HEADINGS: Readonly<Record<(typeof COLUMNS)[number], string>> = {
  profile: "profile",
  reading: "reading",
  vcpus: "vcpus",
  cpu: "cpu",
  cpuSignature: "signature",
  guestFeatures: "features",
};

function cellsOf({ shape, launchDigest }: GuestRow): Cells {
  const named = Object.entries(shape).map(([name, value]) => [name, String(value)]);
  return { ...Object.fromEntries(named), launchDigest } as Cells;
}

const csvField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
