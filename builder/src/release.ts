/**
 * A suite's Release: which suite it is, its dates, and the hash of every index (Debian repository
 * format, "Release" files). Only read from text whose signature has been checked.
 * @module
 */
import { ParseError, parseDecimal, quote, utf8 } from "@bootproof/bytes";
import { readDeb822Paragraph } from "./deb822.ts";

/** An index that Release lists. */
export interface ReleaseEntry {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** What a Release says. */
export interface Release {
  readonly suite: string;
  readonly codename: string;
  readonly date: string;
  readonly validUntil: string | undefined;
  readonly entries: ReadonlyMap<string, ReleaseEntry>;
}

// Contents of a suite come to 600 MB; what is fetched has a limit of its own.
const MAX_LISTED_SIZE = 2n ** 40n;

/** Parses Release; throws {@link ParseError}. */
export async function parseRelease(text: string): Promise<Release> {
  const normal = text.endsWith("\n") ? text : `${text}\n`;
  const fields = await readDeb822Paragraph(utf8(normal), "Release");
  const need = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined || value === "") throw new ParseError("MISSING", `Release field ${name}`);
    return value;
  };
  const validUntil = fields.get("Valid-Until");
  return {
    suite: need("Suite"),
    codename: need("Codename"),
    date: checkDate(need("Date"), "Release field Date"),
    validUntil: validUntil === undefined ? undefined : checkDate(validUntil, "Release field Valid-Until"),
    entries: parseEntries(need("SHA256")),
  };
}

/** Milliseconds since 1970 of a date as Release writes it; throws {@link ParseError}. */
export function parseReleaseDate(text: string, field: string): number {
  const time = /^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(time))
    throw new ParseError("BAD_ENCODING", field, {
      expected: "a date such as Sat, 21 Nov 2026 09:15:44 UTC",
      found: quote(text),
    });
  return time;
}

function checkDate(text: string, field: string): string {
  parseReleaseDate(text, field);
  return text;
}

function parseEntries(text: string): Map<string, ReleaseEntry> {
  const entries = new Map<string, ReleaseEntry>();
  for (const line of text.split("\n").slice(1)) {
    const [sha256 = "", size = "", path = "", ...rest] = line.split(/ +/);
    if (!/^[0-9a-f]{64}$/.test(sha256) || path === "" || rest.length > 0)
      throw new ParseError("BAD_ENCODING", "Release field SHA256", {
        expected: "hash size path",
        found: quote(line),
      });
    if (entries.has(path)) throw new ParseError("DUPLICATE", "Release field SHA256", { found: quote(path) });
    entries.set(path, {
      path,
      sha256,
      size: Number(parseDecimal(size, "size of an index", MAX_LISTED_SIZE)),
    });
  }
  return entries;
}
