/**
 * The one door to smol-toml.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { parse, TomlError } from "smol-toml";

import { byteOffset, checkLength } from "./words.ts";

/** A TOML table; integers are bigint. */
export type TomlTable = Readonly<Record<string, unknown>>;

/** Kata's commented configuration has some 40 KiB. */
const MAX_TOML = 1024 * 1024;
const MAX_DEPTH = 32;

/** Reads a TOML document; throws {@link ParseError}. */
export function parseToml(text: string): TomlTable {
  checkLength(text, "TOML", MAX_TOML);
  try {
    return parse(text, { maxDepth: MAX_DEPTH, integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ""] = error.message.split("\n");
    throw new ParseError("BAD_ENCODING", "TOML", {
      offset: byteOffset(text, placeOf(text, error.line, error.column)),
      expected: "a TOML document",
      found: first,
    });
  }
}

/** Whether a value is a table. */
export const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

function placeOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let left = line; left > 1; left--) {
    const end = text.indexOf("\n", at);
    if (end < 0) break;
    at = end + 1;
  }
  return Math.min(text.length, at + Math.max(0, column - 1));
}
