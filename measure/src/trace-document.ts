/**
 * Measurements and traces as files: `bootproof/measurement/1`, what `measure --json` prints, with or without events,
 * and `bootproof/trace/1`, which is nothing but registers and events. Both are read as a stranger's: a document with
 * events whose replay does not end in its own registers is refused, because nothing it says can then be relied on.
 * @module
 */
import { formatHex, ParseError, parseStrictJson } from "@bootproof/bytes";
import type { ArtifactRole, EventSource, MeasuredEvent } from "./event.ts";
import {
  jsonAddress,
  jsonCount,
  jsonDigest,
  jsonExtended,
  jsonList,
  jsonLongText,
  jsonRecord,
  type JsonRecord,
  jsonText,
  optional,
} from "./explain/json-fields.ts";
import type { KnownSection } from "./explain/side.ts";
import type { TraceStep } from "./replay.ts";
import { checkReplay, type ClaimedStep, type RegisterClaims, type TraceRule } from "./trace-replay.ts";

/** A file that a measurement was made from, as the document names it. */
export interface DocumentInput {
  readonly role: string;
  readonly path?: string;
  /** What stands for a file: a command line that was typed. */
  readonly text?: string;
  readonly size: number;
  readonly sha256: string;
}

/** A measurement or trace read from a file. What it says of its inputs and shape is self-reported. */
export interface LaunchDocument {
  readonly schema: string;
  readonly platform: string;
  /** Empty in traces that name none. */
  readonly shape: JsonRecord;
  /** Lower-case hex by register name. */
  readonly registers: Readonly<Record<string, string>>;
  readonly inputs: readonly DocumentInput[];
  /** Inputs that the document calls covered; undefined when it says nothing of coverage. */
  readonly covered?: readonly string[];
  /** Register values before the first event in hex, where the document says that they are not the platform's own. */
  readonly start?: Readonly<Record<string, string>>;
  /** Replayed from there to the registers. */
  readonly events?: readonly MeasuredEvent[];
  /** Of an image that has sections: what the document says of them, in file order. */
  readonly sections?: readonly KnownSection[];
}

/** Schema of a document that holds a trace alone. */
export const TRACE_SCHEMA = "bootproof/trace/1";
/** Schema of what `measure --json` prints. */
export const MEASUREMENT_SCHEMA = "bootproof/measurement/1";

/** 64 MiB: a 16 MiB image with the most sections that launch has 21,000 events of under 1 KiB. */
const MAX_BYTES = 1 << 26;
const MAX_EVENTS = 65_536;
const MAX_NAMES = 64;
const NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const SHA384 = /^[0-9a-f]{96}$/;

/** Parses and replays a document; throws {@link ParseError}. `rules` are the platforms' by name. */
export function parseLaunchDocument(
  bytes: Uint8Array,
  rules: Readonly<Record<string, TraceRule>>,
): LaunchDocument {
  const document = jsonRecord(parseStrictJson(bytes, "document", MAX_BYTES), "document");
  const schema = jsonText(document["schema"], "schema");
  if (schema !== TRACE_SCHEMA && schema !== MEASUREMENT_SCHEMA)
    throw new ParseError("UNSUPPORTED", "schema", {
      expected: `${MEASUREMENT_SCHEMA} or ${TRACE_SCHEMA}`,
      found: schema,
    });
  const platform = jsonText(document["platform"], "platform", NAME);
  const registers = parseRegisters(document["registers"], "registers");
  const start = optional(document, "start", "document", parseRegisters);
  const events = parseEvents(document["events"], schema === TRACE_SCHEMA, platform, rules, {
    registers,
    start,
  });
  const covered = optional(document, "coverage", "document", parseCovered);
  const sections = optional(document, "sections", "document", parseSections);
  return {
    schema,
    platform,
    shape: optional(document, "shape", "document", jsonRecord) ?? {},
    registers,
    inputs: (
      optional(document, "inputs", "document", (value, field) => jsonList(value, field, MAX_NAMES)) ?? []
    ).map(parseInput),
    ...(covered && { covered }),
    ...(start && { start }),
    ...(events && { events }),
    ...(sections && { sections }),
  };
}

/** One event of a trace as JSON. */
export function formatTraceStep({ event, before, after }: TraceStep<MeasuredEvent>): object {
  return { ...formatEvent(event), before: formatHex(before), after: formatHex(after) };
}

/** An event as JSON: digests and addresses in hex. */
export function formatEvent({
  register,
  type,
  label,
  guestAddress,
  digest,
  source,
}: MeasuredEvent): Record<string, unknown> {
  return {
    register,
    type,
    label,
    ...(guestAddress !== undefined && { guestAddress: `0x${guestAddress.toString(16)}` }),
    digest: formatHex(digest),
    source,
  };
}

function parseRegisters(value: unknown, field: string): Record<string, string> {
  const entries = Object.entries(jsonRecord(value, field));
  if (entries.length === 0 || entries.length > MAX_NAMES)
    throw new ParseError("OUT_OF_RANGE", field, {
      expected: `1 to ${MAX_NAMES}`,
      found: `${entries.length}`,
    });
  return Object.fromEntries(
    entries.map(([name, hex]) => [
      jsonText(name, "register name", NAME),
      formatHex(jsonDigest(hex, `register ${name}`)),
    ]),
  );
}

function parseCovered(value: unknown, field: string): string[] {
  return jsonList(jsonRecord(value, field)["covered"], `${field} covered`, 4096).map((item) =>
    jsonText(jsonRecord(item, field)["input"], `${field} input`),
  );
}

function parseSections(value: unknown, field: string): KnownSection[] {
  return jsonList(value, field, MAX_NAMES).map((item, index) => {
    const section = jsonRecord(item, `section ${index}`);
    return {
      type: jsonText(section["type"], `section ${index} type`, NAME),
      size: jsonCount(section["size"], `section ${index} size`),
      sha384: jsonText(section["sha384"], `section ${index} sha384`, SHA384),
    };
  });
}

function parseInput(value: unknown, index: number): DocumentInput {
  const field = `input ${index}`;
  const input = jsonRecord(value, field);
  const path = optional(input, "path", field, jsonText);
  const text = optional(input, "text", field, jsonLongText);
  return {
    role: jsonText(input["role"], `${field} role`, NAME),
    ...(path !== undefined && { path }),
    ...(text !== undefined && { text }),
    size: jsonCount(input["size"], `${field} size`),
    sha256: jsonText(input["sha256"], `${field} sha256`, SHA256),
  };
}

function parseEvents(
  value: unknown,
  required: boolean,
  platform: string,
  rules: Readonly<Record<string, TraceRule>>,
  claims: RegisterClaims,
): MeasuredEvent[] | undefined {
  if (value === undefined && !required) return undefined;
  const rule = Object.hasOwn(rules, platform) ? rules[platform] : undefined;
  if (rule === undefined)
    throw new ParseError("UNSUPPORTED", "platform of a trace", {
      expected: Object.keys(rules).join(", "),
      found: platform,
    });
  const list = jsonList(value, "events", MAX_EVENTS).map((item, index) => ({
    ...parseEvent(item, index),
    index,
  }));
  checkReplay(list, rule, claims);
  return list.map(({ event }) => event);
}

function parseEvent(value: unknown, index: number): Omit<ClaimedStep, "index"> {
  const field = `event ${index}`;
  const item = jsonRecord(value, field);
  const guestAddress = optional(item, "guestAddress", field, jsonAddress);
  return {
    event: {
      register: jsonText(item["register"], `${field} register`, NAME),
      digest: jsonExtended(item["digest"], `${field} digest`),
      type: jsonText(item["type"], `${field} type`, /^[\w -]{1,64}$/),
      label: optional(item, "label", field, jsonText) ?? "",
      source: parseSource(item["source"], `${field} source`),
      ...(guestAddress !== undefined && { guestAddress }),
    },
    before: optional(item, "before", field, jsonDigest),
    after: optional(item, "after", field, jsonDigest),
  };
}

function parseSource(value: unknown, field: string): EventSource {
  const source = jsonRecord(value, field);
  const section = optional(source, "section", field, jsonText);
  const offset = optional(source, "offset", field, jsonCount);
  const length = optional(source, "length", field, jsonCount);
  return {
    // Traces of platforms to come may name artifacts that this version does not know; nothing branches on them.
    artifact: jsonText(source["artifact"], `${field} artifact`, NAME) as ArtifactRole,
    ...(section !== undefined && { section }),
    ...(offset !== undefined && { offset }),
    ...(length !== undefined && { length }),
  };
}
