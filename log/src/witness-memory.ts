/**
 * What a log remembers of its witnesses: the size that each confirmed last, by address. Losing it costs one more request
 * each. Form: the line below, then `<size> <address>` for each.
 * @module
 */
import { parseDecimal, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import type { ObjectStore } from "./storage.ts";

const MEMORY_KEY = "witnesses";
const MEMORY_LINE = "bootproof.log/witnesses@v1";

/** The sizes that witnesses confirmed, by address. */
export async function readMemory(staging: Pick<ObjectStore, "get">): Promise<Map<string, bigint>> {
  const bytes = await staging.get(MEMORY_KEY);
  if (bytes === undefined) return new Map();
  try {
    const [first, ...lines] = parseUtf8(bytes, MEMORY_KEY).trimEnd().split("\n");
    if (first !== MEMORY_LINE) return new Map();
    return new Map(lines.map(memoryLine));
  } catch (error) {
    // What is lost with it is one request a witness.
    if (error instanceof ParseError) return new Map();
    throw error;
  }
}

function memoryLine(line: string): [string, bigint] {
  const [size = "", url = ""] = line.split(" ");
  return [url, parseDecimal(size, "witness size")];
}

/** Keeps the sizes. */
export async function writeMemory(
  staging: Pick<ObjectStore, "putMutable">,
  memory: ReadonlyMap<string, bigint>,
): Promise<void> {
  const lines = [...memory].map(([url, size]) => `${size} ${url}`);
  await staging.putMutable(MEMORY_KEY, utf8([MEMORY_LINE, ...lines, ""].join("\n")));
}
