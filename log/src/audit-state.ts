/**
 * What an auditor keeps between two audits: the newest checkpoint it saw, and the right edge of what it has hashed, so
 * that the next audit reads only what is new. Form: the line below, `entries <how many, whole bundles>`, for each level
 * that has any `edge <level> <base64 of its hashes>`, a blank line, the signed checkpoint verbatim.
 * @module
 */
import {
  concatBytes,
  formatBase64,
  parseBase64,
  parseDecimal,
  ParseError,
  quote,
  utf8,
} from "@bootproof/bytes";
import { splitHeadedNote } from "./headed-note.ts";
import { RightEdge } from "./right-edge.ts";
import { parseTile } from "./tile.ts";
import { partialTiles, TILE_WIDTH } from "./tile-path.ts";

const FIRST_LINE = "bootproof.log/audit@v1";
const MAX_SIZE = 2n ** 63n - 1n;
/** Eight levels of 255 hashes, and a checkpoint with all the signatures that a note may have. */
const MAX_LENGTH = 1024 * 1024;

/** An auditor's memory. */
export interface AuditState {
  /** The signed checkpoint; its signature is to be checked again. */
  readonly note: Uint8Array;
  readonly edge: RightEdge;
}

/** The bytes of an audit's state. */
export function formatAuditState({ note, edge }: AuditState): Uint8Array<ArrayBuffer> {
  const tiles = edge.partials().map(({ path, bytes }) => `edge ${path.level} ${formatBase64(bytes)}`);
  return concatBytes(utf8([FIRST_LINE, `entries ${edge.size}`, ...tiles, "", ""].join("\n")), note);
}

/** Parses an audit's state; the checkpoint in it is not checked. Throws {@link ParseError}. */
export function parseAuditState(bytes: Uint8Array): AuditState {
  if (bytes.length > MAX_LENGTH)
    throw new ParseError("TOO_LARGE", "audit state", {
      expected: `at most ${MAX_LENGTH} bytes`,
      found: String(bytes.length),
    });
  const { lines: head, note } = splitHeadedNote(bytes, { field: "audit state", expected: "a blank line" });
  const [first, entries = "", ...lines] = head;
  if (first !== FIRST_LINE)
    throw new ParseError("BAD_MAGIC", "audit state", { expected: FIRST_LINE, found: quote(first ?? "") });
  return { note, edge: parseEdge(parseSize(entries), lines) };
}

function parseSize(line: string): bigint {
  const size = parseDecimal(/^entries (.*)$/.exec(line)?.[1] ?? "", "audit state entries", MAX_SIZE);
  if (size % BigInt(TILE_WIDTH) !== 0n)
    throw new ParseError("OUT_OF_RANGE", "audit state entries", {
      expected: "whole bundles",
      found: String(size),
    });
  return size;
}

function parseEdge(size: bigint, lines: readonly string[]): RightEdge {
  const tiles = partialTiles(size);
  if (tiles.length !== lines.length)
    throw new ParseError("MISSING", "audit state edge", {
      expected: `${tiles.length} lines`,
      found: String(lines.length),
    });
  const levels: ReturnType<typeof parseTile>[] = [];
  for (const [at, { level, width }] of tiles.entries()) {
    const prefix = `edge ${level} `;
    const line = lines[at] ?? "";
    if (!line.startsWith(prefix))
      throw new ParseError("NOT_CANONICAL", "audit state edge", { expected: prefix, found: quote(line) });
    levels[level] = parseTile(parseBase64(line.slice(prefix.length), "audit state edge"), width);
  }
  return new RightEdge(size, levels);
}
