/**
 * JSON arguments of -object and -blockdev, flattened to properties with dotted names: `{"file": {"driver": "file"}}`
 * is `file.driver`, as keyval writes it.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import type { Properties } from "./key-values.ts";

/** Deeper than any block graph that people write on a command line. */
const MAX_DEPTH = 16;

/** Whether an argument is JSON: QEMU looks at the first character. */
export const isJson = (argument: string): boolean => argument.startsWith("{");

/** Reads a JSON argument; throws {@link MeasureError} BP-MACHINE-003. */
export function parseJsonProperties(argument: string, option: string): Properties {
  const { depth, keys } = outline(argument);
  if (depth > MAX_DEPTH) throw badJson(option, `at most ${MAX_DEPTH} levels`, argument);
  const value = parse(argument, option);
  if (typeof value !== "object" || value === null) throw badJson(option, "a JSON object", argument);
  const properties = new Map<string, string>();
  const read = flatten(value, "", option, properties);
  // JSON.parse keeps the last of two equal names; QEMU refuses them.
  if (read !== keys) throw badJson(option, "no name twice", argument);
  return properties;
}

function parse(argument: string, option: string): unknown {
  try {
    return JSON.parse(argument) as unknown;
  } catch {
    throw badJson(option, "JSON", argument);
  }
}

/** Depth and number of names, by tokens alone. */
function outline(argument: string): { depth: number; keys: number } {
  let depth = 0;
  let deepest = 0;
  let keys = 0;
  for (const [token, colon] of argument.matchAll(/"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)(\s*:)?|[{}[\]]/g)) {
    if (colon !== undefined) keys++;
    if (token === "{" || token === "[") deepest = Math.max(deepest, ++depth);
    if (token === "}" || token === "]") depth--;
  }
  return { depth: deepest, keys };
}

/** Adds the properties of one object or list, and counts its names. */
function flatten(value: object, prefix: string, option: string, properties: Map<string, string>): number {
  let keys = 0;
  for (const [key, child] of Object.entries(value) as [string, unknown][]) {
    if (!Array.isArray(value)) keys++;
    const name = prefix === "" ? key : `${prefix}.${key}`;
    if (typeof child === "object" && child !== null) keys += flatten(child, name, option, properties);
    else properties.set(name, scalar(child, name, option));
  }
  return keys;
}

function scalar(value: unknown, name: string, option: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number" && (Number.isSafeInteger(value) || !Number.isInteger(value)))
    return `${value}`;
  throw badJson(option, "text, a switch or a number that is exact", `${name}: ${String(value)}`);
}

function badJson(option: string, expected: string, found: string): MeasureError {
  return new MeasureError("BP-MACHINE-003", `-${option} has JSON that QEMU refuses`, {
    expected,
    found: found.slice(0, 80),
  });
}
