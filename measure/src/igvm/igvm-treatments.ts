/**
 * The table of a file's headers, with what each reading makes of a row.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { igvmRows, type IgvmRow } from "@bootproof/ovmf/igvm";
import { MeasureError } from "../measure-error.ts";
import type { IgvmGuest } from "./igvm-guest.ts";
import type { Processors } from "./igvm-processors.ts";
import { igvmSteps } from "./igvm-steps.ts";
import type { IgvmLintRow } from "./lint-igvm.ts";
import { igvmReading, type IgvmReadingName } from "./readings.ts";

const REFUSED = "refused";
const NOTHING = "";

const COLUMNS = {
  qemu: "qemu",
  igvmmeasure: "igvmmeasure",
  nativeZero: "igvmmeasure-native-zero",
  msIgvm: "ms-igvm",
} as const satisfies Readonly<Record<string, IgvmReadingName>>;

/** The rows; an empty column says that the reading measures nothing there. */
export function treatments(guest: IgvmGuest, processors: Processors): IgvmLintRow[] {
  const measured = Object.entries(COLUMNS).map(
    ([column, name]) => [column, measuredByHeader(guest, name, processors)] as const,
  );
  return igvmRows(guest.file).map((row) => {
    const columns = measured.map(([column, byHeader]) => [column, treatment(row, byHeader)] as const);
    return { ...row, ...(Object.fromEntries(columns) as Record<keyof typeof COLUMNS, string>) };
  });
}

type ByHeader = ReadonlyMap<number, { readonly type: string; readonly pages: number }>;

/** Pages by header index, or undefined when the reading gives up on the file. */
function measuredByHeader(
  guest: IgvmGuest,
  name: IgvmReadingName,
  processors: Processors,
): ByHeader | undefined {
  const found = new Map<number, { type: string; pages: number }>();
  // Processors without a VP context belong to no row, so their signature does not matter.
  const anyCpu = { ...processors, cpuSignature: 0 };
  try {
    for (const { header, type, pages } of igvmSteps(guest, igvmReading(name), anyCpu))
      if (header !== undefined) found.set(header.index, { type, pages });
  } catch (error) {
    if (error instanceof MeasureError || error instanceof ParseError) return undefined;
    throw error;
  }
  return found;
}

function treatment(row: IgvmRow, byHeader: ByHeader | undefined): string {
  if (byHeader === undefined) return REFUSED;
  const first = byHeader.get(row.index);
  if (first === undefined) return NOTHING;
  // The headers of one row have the same attributes, so every reading treats them alike.
  const pages = first.pages * row.headers;
  return `${pages} page${pages === 1 ? "" : "s"} ${first.type}`;
}
