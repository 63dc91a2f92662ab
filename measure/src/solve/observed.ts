/**
 * A launch digest as people copy it: hex in any case and grouping, with a prefix, base64, or what tools make of these.
 * @module
 */
import { parseBase64, parseHex, parseUtf8 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";

/** A launch digest that a machine reported. */
export interface ObservedDigest {
  /** 48 bytes of SEV-SNP, or 32 of SEV and SEV-ES. */
  readonly digest: Uint8Array;
  /** What is odd about how it was written. */
  readonly note?: string;
}

const LENGTHS = [48, 32];
/** Nothing that holds a digest and little else is longer. */
const MAX_TEXT = 4096;
/** Printed reports have a few kilobytes. */
const MAX_DOCUMENT = 65_536;

/** Reads a digest; throws {@link MeasureError} for text that holds none. */
export function parseObserved(text: string): ObservedDigest {
  const bare = stripped(text);
  const observed = text.length > MAX_TEXT ? undefined : (fromHex(bare) ?? fromBase64(bare));
  const found = observed ?? labelled(text);
  if (found !== undefined) return found;
  throw new MeasureError("BP-SOLVE-001", "not a launch digest", {
    expected: "48 bytes (SEV-SNP) or 32 bytes (SEV, SEV-ES), as hex or base64",
    found: describe(bare),
  });
}

// A name of the field, punctuation, and 48 or 32 bytes of hex in any grouping that end there.
const LABELLED =
  /(?:measurement|launch[ _-]?digest)["']?[\s:=]{0,80}["']?(?:0x)?((?:[0-9a-f]{2}[ \t\r\n:]{0,80}){32,48})(?![0-9a-f])/gi;

/** The one digest that a printed report or measurement names as such. */
function labelled(text: string): ObservedDigest | undefined {
  const digests = new Map<string, ObservedDigest>();
  for (const [, hex = ""] of text.slice(0, MAX_DOCUMENT).matchAll(LABELLED)) {
    const digest = fromHex(stripped(hex));
    if (digest !== undefined) digests.set(stripped(hex).toLowerCase(), digest);
  }
  const [only, another] = digests.values();
  return another === undefined ? only : undefined;
}

/** Text without quotes, prefixes, and the spaces and colons between groups. */
function stripped(text: string): string {
  return text
    .trim()
    .replace(/^["'](.*)["']$/s, "$1")
    .replace(/^sha(?:384|256)[:-]/i, "")
    .replace(/^0x/i, "")
    .replace(/[\s:,]+(?:0x)?/gi, "");
}

function fromHex(text: string): ObservedDigest | undefined {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text)) return undefined;
  const bytes = parseHex(text, "digest");
  if (LENGTHS.includes(bytes.length)) return { digest: bytes };
  const inner = ascii(bytes);
  const again = inner === undefined ? undefined : plainBase64(inner);
  return again && { digest: again, note: "the digest is written as hex of its base64 text" };
}

function fromBase64(text: string): ObservedDigest | undefined {
  const bytes = decodeBase64(text);
  if (bytes === undefined) return undefined;
  if (LENGTHS.includes(bytes.length)) return { digest: bytes };
  const inner = ascii(bytes)?.replace(/^0x/, "");
  const again = inner === undefined ? undefined : fromHex(inner);
  return (
    again && {
      ...again,
      note: "the digest is written as base64 of its hex text, as snpguest --output-format base64 does",
    }
  );
}

function plainBase64(text: string): Uint8Array | undefined {
  const bytes = decodeBase64(text);
  return bytes !== undefined && LENGTHS.includes(bytes.length) ? bytes : undefined;
}

/** Either alphabet, with or without padding. */
function decodeBase64(text: string): Uint8Array | undefined {
  const usual = text.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  try {
    return parseBase64(usual.padEnd(Math.ceil(usual.length / 4) * 4, "="), "digest");
  } catch {
    return undefined;
  }
}

function ascii(bytes: Uint8Array): string | undefined {
  try {
    return parseUtf8(bytes, "digest").trim();
  } catch {
    return undefined;
  }
}

function describe(text: string): string {
  if (text === "") return "nothing";
  if (/^[0-9a-f]+$/i.test(text)) return `${text.length} hex digits`;
  return `${text.length} characters`;
}
