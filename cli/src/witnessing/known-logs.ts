/**
 * The logs that a witness knows, in the text form that the witness network publishes: `logs/v0`, then for each log
 * `vkey <vkey>`, and optionally `origin <origin>`, `qpd <requests per day>` and `contact <text>`. Lines that begin with
 * `#`, empty lines and lines with other keywords say nothing. A second entry with an origin adds a key to it.
 * @module
 */
import { KEY_TYPE, parseDecimal, ParseError, parseVkey, quote } from "@bootproof/bytes";

/** First line of the form. */
export const KNOWN_LOGS_HEADER = "logs/v0";
const MAX_LINES = 200_000;

/** The keys that may sign for an origin, by origin. */
export type KnownLogs = ReadonlyMap<string, readonly string[]>;

interface Entry {
  readonly vkey: string;
  origin: string | undefined;
  readonly seen: Set<string>;
}

/** Parses a list; throws {@link ParseError} that names the line. */
export function parseKnownLogs(text: string): KnownLogs {
  const lines = text.split("\n");
  if (lines.length > MAX_LINES)
    throw new ParseError("TOO_LARGE", "list of logs", { found: `${lines.length} lines` });
  const entries: Entry[] = [];
  const numbered = lines.map((line, number) => [line, `line ${String(number + 1)}`] as const);
  const [header, ...rest] = numbered.filter(([line]) => line !== "" && !line.startsWith("#"));
  if (header?.[0] !== KNOWN_LOGS_HEADER)
    throw new ParseError("BAD_MAGIC", header?.[1] ?? "list of logs", { expected: KNOWN_LOGS_HEADER });
  for (const [line, at] of rest) takeLine(entries, line, at);
  return byOrigin(entries);
}

/** The lines that add a log to a list. */
export function formatKnownLog(vkey: string, origin?: string): string {
  return `\nvkey ${vkey}\n${origin === undefined ? "" : `origin ${origin}\n`}`;
}

function takeLine(entries: Entry[], line: string, at: string): void {
  const space = line.indexOf(" ");
  const [key, value] = space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
  if (value === "") throw new ParseError("MISSING", at, { expected: `a value for ${quote(key)}` });
  if (key === "vkey") {
    if (parseVkey(value, at).type !== KEY_TYPE.ed25519)
      throw new ParseError("UNSUPPORTED", `${at} vkey type`, { expected: "a log's Ed25519 key (type 1)" });
    entries.push({ vkey: value, origin: undefined, seen: new Set() });
    return;
  }
  const entry = entries.at(-1);
  if (entry === undefined) throw new ParseError("MISSING", at, { expected: "a vkey line first" });
  if (entry.seen.has(key)) throw new ParseError("DUPLICATE", at, { found: quote(key) });
  entry.seen.add(key);
  if (key === "origin") entry.origin = value;
  else if (key === "qpd") parseDecimal(value, `${at} qpd`);
}

function byOrigin(entries: readonly Entry[]): KnownLogs {
  const logs = new Map<string, string[]>();
  for (const { vkey, origin = parseVkey(vkey).name } of entries) {
    const keys = logs.get(origin) ?? [];
    if (!keys.includes(vkey)) keys.push(vkey);
    logs.set(origin, keys);
  }
  return logs;
}
