/**
 * The PCRs of an enclave as text and as a document: the same for a file and for its parts.
 * @module
 */
import { formatManifest, type NitroMeasurement } from "@bootproof/measure/nitro";

import { formatTrace } from "../measuring/measurement-answer.ts";
import { measurementDocument } from "../measuring/measurement-document.ts";
import { formatTable } from "../report/table.ts";
import type { OpenEnclave } from "./open-enclave.ts";

/** Registers of machines that nobody named. */
const OPEN = [
  ["PCR3", "unknown: the parent's IAM role decides, zero without one (--iam-role-arn)"],
  ["PCR4", "unknown: the parent instance decides (--instance-id)"],
] as const;

/** Registers, unknown ones named; with `trace`, what each is extended with before them. */
export function formatPcrs(measurement: NitroMeasurement, trace: boolean): string {
  const { registers } = measurement;
  const known = Object.entries(registers).map(([name, value]) =>
    /^0+$/.test(value) ? [name, value, "not signed"] : [name, value],
  );
  const open = OPEN.filter(([name]) => registers[name] === undefined);
  const rows = [...known, ...open].toSorted(([a = ""], [b = ""]) => a.localeCompare(b));
  return (trace ? `${formatTrace(measurement)}\n` : "") + formatTable(rows);
}

/** The document of `measure nitro --json`. */
export function nitroDocument(
  measurement: NitroMeasurement,
  { source }: OpenEnclave,
  trace: boolean,
): object {
  return {
    // Files of any size are hashed once: sections have digests, files have none.
    ...measurementDocument({ inputs: [] }, measurement, trace),
    ...source,
    sections: formatManifest(measurement.sections),
    unknown: OPEN.flatMap(([name]) => (measurement.registers[name] === undefined ? [name] : [])),
  };
}
