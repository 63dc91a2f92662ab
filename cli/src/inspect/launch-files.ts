/**
 * Looks at what `measure` prints and takes: measurements, with or without their events, traces, firmware references.
 * @module
 */
import {
  type LaunchDocument,
  MEASUREMENT_SCHEMA,
  parseLaunchDocument,
  TRACE_SCHEMA,
} from "@bootproof/measure";
import { TRACE_RULES } from "@bootproof/measure/explain";
import {
  FIRMWARE_REFERENCE_SCHEMA,
  firmwareReferenceJson,
  parseFirmwareReference,
} from "@bootproof/measure/snp";

import { formatFields, formatTable } from "../report/table.ts";
import { schemaOf } from "./answer-files.ts";
import type { Inspector } from "./inspection.ts";

/** A measurement or trace, by its schema. Events are replayed: a trace that does not end in its registers is malformed. */
export const inspectLaunch: Inspector = (bytes) => {
  const schema = schemaOf(bytes);
  if (schema !== MEASUREMENT_SCHEMA && schema !== TRACE_SCHEMA) return undefined;
  const document = parseLaunchDocument(bytes, TRACE_RULES);
  const { platform, shape, registers, inputs, events } = document;
  const fields: [string, string][] = [
    ["kind", schema === TRACE_SCHEMA ? "trace of a launch" : "measurement"],
    ["platform", platform],
    ...Object.entries(shape).map(([name, value]): [string, string] => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
    ...Object.entries(registers),
    ["events", events === undefined ? "none" : `${String(events.length)}, which replay to the registers`],
  ];
  const files = inputs.map(({ role, path = "", size, sha256 }) => [role, String(size), sha256, path]);
  const text = [
    formatFields(fields),
    formatTable(files, ["input", "size", "sha256", "path"]),
    formatEventRuns(document),
  ];
  return {
    kind: schema === TRACE_SCHEMA ? "trace" : "measurement",
    text: text.filter((part) => part !== "").join("\n"),
    document: { platform, shape, registers, inputs, events: events?.length ?? 0 },
  };
};

/** A firmware reference: what a publisher gives instead of an image. */
export const inspectReference: Inspector = (bytes) => {
  if (schemaOf(bytes) !== FIRMWARE_REFERENCE_SCHEMA) return undefined;
  const reference = parseFirmwareReference(bytes);
  const document = firmwareReferenceJson(reference);
  const sections = reference.metadata.sections.map(({ index, guestAddress, size, type, name }) => [
    String(index),
    `0x${guestAddress.toString(16)}`,
    `0x${size.toString(16)}`,
    name ?? `type 0x${type.toString(16)}`,
  ]);
  const fields: [string, string][] = [
    ["kind", "firmware reference"],
    ["size of the image", String(document.size)],
    ["digest of its pages", document.seed],
    ["AP reset address", document.resetAddress],
    ["kernel hashes table", document.hashTable ?? "none"],
  ];
  const table = formatTable(sections, ["#", "guest address", "size", "SEV section"]);
  return { kind: "firmware-reference", text: `${formatFields(fields)}\n${table}`, document };
};

/** Events of the same type and label in a row as one line: thousands of pages are a dozen lines. */
function formatEventRuns({ events = [] }: LaunchDocument): string {
  const runs: { type: string; label: string; start: string; count: number }[] = [];
  for (const { type, label, guestAddress } of events) {
    const last = runs.at(-1);
    if (last?.type === type && last.label === label) last.count += 1;
    else {
      const start = guestAddress === undefined ? "" : `0x${guestAddress.toString(16)}`;
      runs.push({ type, label, start, count: 1 });
    }
  }
  const rows = runs.map(({ type, start, count, label }) => [type, start, String(count), label]);
  return formatTable(rows.slice(0, MAX_RUNS), ["type", "guest address", "events", "what"]);
}

/** More than any launch in use has; a hostile trace has as many as it likes. */
const MAX_RUNS = 1100;
