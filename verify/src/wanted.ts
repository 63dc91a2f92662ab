/**
 * What somebody looks for in a log, and whether an entry has it.
 * @module
 */
import { formatHex, parseDigest, ParseError, parseVkey, type Vkey } from "@bootproof/bytes";
import { checkSignatures, keyidOf } from "@bootproof/statement";
import { digestKey, signerKey } from "./lookup-keys.ts";
import { findDigest } from "./lookup.ts";
import { aboutText, matchText } from "./match-text.ts";
import { claimedSigners, tryReadEntry, type UntrustedStatement } from "./read-entry.ts";

/** A digest that entries hold, or a key that signed them: by its ID as claimed, or whole and then checked. */
export type Wanted =
  { readonly digest: string } | { readonly keyid: string } | { readonly keyid: string; readonly vkey: Vkey };

/** An entry that has what was wanted; nothing in it is verified unless it says so. */
export interface EntryMatch {
  /** What kind of statement it is; `entry` when it is none. */
  readonly kind: string;
  /** Where it has it, in words. */
  readonly what: readonly string[];
  /** The release or verdict that it is about. */
  readonly release: string;
  /** Who claims to have signed it. */
  readonly signers: readonly string[];
}

/** What one entry comes to: a match, nothing, or "unsearched" when it holds registers that are not derived here. */
export type EntryAnswer = EntryMatch | "unsearched" | undefined;

const KEYID = /^[^\s+]+\+[0-9a-f]{8}$/;
const VKEY = /^[^\s+]+\+[0-9a-f]{8}\+/;
const ALGORITHMS = ["sha256", "sha384", "sha512"] as const;

/** Reads a digest in hex or base64, `NAME+KEYID`, or a public key; undefined for anything else, ParseError for a broken key. */
export function parseWanted(text: string): Wanted | undefined {
  for (const name of ALGORITHMS) {
    const digest = tryParseDigest(name, text);
    if (digest !== undefined) return { digest };
  }
  if (KEYID.test(text)) return { keyid: text };
  if (!VKEY.test(text)) return undefined;
  const vkey = parseVkey(text, "the key");
  return { keyid: keyidOf(vkey), vkey };
}

/** The key under which an index has what is wanted. */
export const wantedKey = (wanted: Wanted): Uint8Array =>
  "digest" in wanted ? digestKey(wanted.digest) : signerKey(wanted.keyid);

/** Whether an entry has what is wanted. */
export function matchEntry(wanted: Wanted, entry: Uint8Array): EntryAnswer {
  const statement = tryReadEntry(entry);
  if (!("digest" in wanted)) {
    const what = statement === undefined ? undefined : signerText(wanted, statement);
    return what === undefined ? undefined : { ...describeEntry(statement), what: [what] };
  }
  const { matches, complete } = findDigest(entry, statement, wanted.digest);
  if (matches.length > 0) return { ...describeEntry(statement), what: matches.map(matchText) };
  return complete ? undefined : "unsearched";
}

function signerText(
  wanted: Exclude<Wanted, { digest: string }>,
  statement: UntrustedStatement,
): string | undefined {
  if (!claimedSigners(statement).includes(wanted.keyid)) return undefined;
  if (!("vkey" in wanted)) return "signer (claimed)";
  const checked = checkSignatures(statement.envelope, [wanted.vkey]);
  return checked.some(({ outcome }) => outcome === "valid") ? "signer (signature verified)" : undefined;
}

const describeEntry = (statement: UntrustedStatement | undefined): Omit<EntryMatch, "what"> =>
  statement === undefined
    ? { kind: "entry", release: "", signers: [] }
    : { kind: statement.kind, release: aboutText(statement), signers: claimedSigners(statement) };

function tryParseDigest(name: (typeof ALGORITHMS)[number], text: string): string | undefined {
  try {
    return formatHex(parseDigest(name, text));
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
