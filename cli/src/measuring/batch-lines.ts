/**
 * The lines of a batch: one JSON object each, naming a guest by the options of `measure`.
 * @module
 */
import { ParseError, parseStrictJson } from "@bootproof/bytes";
import { Command } from "commander";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { streamInput } from "../frame/files.ts";
import { Given } from "../frame/given.ts";
import { addGuestOptions } from "./guest-options.ts";

/** A request of any sensible size is far below. */
const MAX_LINE = 1 << 20;
/** No line ending in so many bytes: a device or a file of another kind, and reading on would never end. */
const MAX_SKIPPED = 1 << 28;
const NEWLINE = 0x0a;

/** What a request may name: the options of a guest. */
const FIELDS: ReadonlySet<string> = new Set(
  addGuestOptions(new Command()).options.map((option) => option.attributeName()),
);

/** One line, not yet read. */
export interface BatchLine {
  /** From 1. */
  readonly number: number;
  /** Undefined when the line is longer than any request. */
  readonly bytes: Uint8Array | undefined;
}

/** One request: its options as if typed, and what the asker wants to see again in the answer. */
export interface BatchRequest {
  readonly id: unknown;
  readonly given: Given;
}

/** The lines of a file, or of standard input for `-`; empty ones are passed over but counted. */
export async function* batchLines(path: string): AsyncGenerator<BatchLine> {
  const line = new OpenLine();
  let number = 1;
  for await (const chunk of path === "-" ? standardInput() : streamInput(path)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      line.push(chunk.subarray(start, end));
      start = end + 1;
      if (!line.empty) yield { number, bytes: line.take() };
      number += 1;
    }
    line.push(chunk.subarray(start));
    if (line.length > MAX_SKIPPED)
      throw new Failure("BP-FILE-004", EXIT.malformed, "is too large: a line does not end", {
        file: path,
        expected: `lines of at most ${MAX_LINE} bytes`,
        found: `more than ${MAX_SKIPPED} bytes`,
      });
  }
  if (!line.empty) yield { number, bytes: line.take() };
}

/** The pieces of a line whose end has not come; of one that is too long, only that it is. */
class OpenLine {
  #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get empty(): boolean {
    return this.#length === 0;
  }

  push(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > MAX_LINE) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  take(): Uint8Array | undefined {
    const bytes = this.#length > MAX_LINE ? undefined : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return bytes;
  }
}

/** Reads one line: option names may be spelled with dashes, underscores or capitals (`vcpu-type`, `vcpuType`). */
export function readRequest({ bytes }: BatchLine): BatchRequest {
  if (bytes === undefined) throw invalid("line is too long", undefined, `at most ${MAX_LINE} bytes`);
  const request = parseObject(bytes);
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(request)) {
    const name =
      key === "platform"
        ? "mode"
        : key.replaceAll(/[-_]+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (name === "id") continue;
    if (!FIELDS.has(name)) throw unknownField(key);
    if (name in options) throw invalid("field given twice", key);
    if (typeof value === "boolean" && name === "kernelHashes") options[name] = value;
    else if (value !== null) options[name] = optionValue(key, value);
  }
  return { id: request["id"], given: new Given([], options) };
}

/** A flag of the command line that is asked for here in other words. */
function unknownField(key: string): Failure {
  const flag = key.replaceAll(/[-_]/g, "").toLowerCase() === "nokernelhashes";
  const hint = flag ? '"kernel-hashes": false' : `fields: ${[...FIELDS].join(", ")}`;
  return invalid("unknown field", key, hint);
}

function optionValue(key: string, value: unknown): unknown {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw invalid("field that is no text, number or list of texts", key);
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = parseStrictJson(bytes, "request", MAX_LINE);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    if (error instanceof ParseError) throw invalid(error.message);
    throw error;
  }
  throw invalid("not a JSON object");
}

function invalid(message: string, found?: string, hint?: string): Failure {
  return new Failure("BP-USAGE-004", EXIT.usage, `request: ${message}`, { found, hint });
}

function standardInput(): AsyncIterable<Buffer> {
  return process.stdin as AsyncIterable<Buffer>;
}
