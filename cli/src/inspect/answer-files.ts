/**
 * Looks at other documents that bootproof prints with --json: explanations, solutions, matrices, verdicts.
 * @module
 */
import { type JsonValue, parseStrictJson } from "@bootproof/bytes";

import { oneLine } from "../report/printable.ts";
import { formatFields } from "../report/table.ts";
import { type Inspector, textHead } from "./inspection.ts";

const SCHEMA = /^\s*\{\s*"schema"\s*:\s*"(bootproof\/[a-z][a-z-]{0,40}\/\d{1,3})"/;
/** A matrix of every shape is a few megabytes. */
const MAX_BYTES = 2 ** 26;

/** The schema of a document that starts with one, or undefined. */
export function schemaOf(bytes: Uint8Array): string | undefined {
  return SCHEMA.exec(textHead(bytes, 256))?.[1];
}

/** An answer of a verb, by its schema: its members in a line each. What they say is the file's word alone. */
export const inspectAnswer: Inspector = (bytes) => {
  const schema = schemaOf(bytes);
  if (schema === undefined) return undefined;
  const document = parseStrictJson(bytes, "document", MAX_BYTES);
  const members = Object.entries(document as Readonly<Record<string, JsonValue>>);
  const fields = members
    .filter(([name]) => name !== "schema")
    .map(([name, value]): [string, string] => [oneLine(name), short(value)]);
  return {
    kind: "answer",
    text: formatFields([["kind", `answer of bootproof (${schema})`], ...fields]),
    document: { answer: document },
  };
};

function short(value: JsonValue): string {
  if (typeof value === "string") return oneLine(value);
  if (Array.isArray(value)) return `${String(value.length)} entries`;
  return oneLine(JSON.stringify(value));
}
