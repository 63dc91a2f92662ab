/**
 * Looks through a log for a digest or a key.
 * @module
 */
import { ParseError, formatHex, parseDigest, parseVkey, type Vkey } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import { checkSignatures, keyidOf, type Statement } from "@bootproof/statement";
import { findDigest } from "@bootproof/verify";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, badValue } from "../frame/given.ts";
import { readLog, readVkey } from "../places/log-place.ts";
import { printable } from "../report/printable.ts";
import { formatTable } from "../report/table.ts";
import { type UntrustedStatement, claimedSigners, tryReadEntry } from "../statements/read-entry.ts";
import { shapeText } from "../statements/shape-text.ts";

interface Found {
  readonly index: number;
  readonly kind: string;
  readonly what: string;
  readonly release: string;
  readonly signers: readonly string[];
}

/** A digest that entries hold, or a key that signed them: by its ID as claimed, or whole and then checked. */
type Wanted =
  { readonly digest: string } | { readonly keyid: string } | { readonly keyid: string; readonly vkey: Vkey };

/** Lists every entry that holds a digest, or that a key signed. */
export async function lookup(context: Context, given: Given): Promise<ExitCode> {
  const wanted = parseWanted(given.argument(0));
  const vkey = given.text("vkey");
  const log = await readLog(
    context,
    given.text("log") ?? "",
    vkey === undefined ? undefined : await readVkey(vkey),
  );
  const reader = await log.open();
  const found: Found[] = [];
  for await (const { index, entry } of reader.entries()) {
    const statement = tryReadEntry(entry);
    const what = matches(wanted, entry, statement);
    if (what.length > 0)
      found.push({
        index: Number(index),
        kind: statement?.kind ?? "entry",
        what: what.join(", "),
        release: statement === undefined ? "" : releaseOf(statement),
        signers: statement === undefined ? [] : claimedSigners(statement),
      });
  }
  const name = "digest" in wanted ? wanted.digest : wanted.keyid;
  const rows = found.map(({ index, kind, release, what, signers }) => [
    String(index),
    kind,
    release,
    what,
    signers.join(" "),
  ]);
  const shown =
    found.length === 0
      ? `${printable(name)}: not in this log\n`
      : formatTable(rows, ["index", "kind", "release", "matches", "signed as"]);
  const { origin, size } = log.checkpoint;
  const about = "digest" in wanted ? { digest: name } : { key: name, checked: "vkey" in wanted };
  await context.answer(shown, { schema: "bootproof/lookup/1", ...about, origin, size: Number(size), found });
  return found.length === 0 ? EXIT.no : EXIT.yes;
}

function parseWanted(text: string): Wanted {
  for (const name of ["sha256", "sha384"] as const)
    try {
      return { digest: formatHex(parseDigest(name, text)) };
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  if (KEYID.test(text)) return { keyid: text };
  if (!VKEY.test(text))
    throw badValue("the digest", "32 or 48 bytes in hex or base64, NAME+KEYID, or a public key", text);
  const vkey = reading("the key", () => parseVkey(text));
  return { keyid: keyidOf(vkey), vkey };
}

const KEYID = /^[^\s+]+\+[0-9a-f]{8}$/;
const VKEY = /^[^\s+]+\+[0-9a-f]{8}\+/;

function matches(wanted: Wanted, bytes: Uint8Array, entry: UntrustedStatement | undefined): string[] {
  if ("digest" in wanted) {
    const leaf = formatHex(leafHash(bytes)) === wanted.digest ? ["leaf hash"] : [];
    return entry === undefined ? leaf : [...leaf, ...digestMatches(entry, wanted.digest)];
  }
  if (entry === undefined) return [];
  if (!("vkey" in wanted)) return claimedSigners(entry).includes(wanted.keyid) ? ["signer (claimed)"] : [];
  const signed = checkSignatures(entry.envelope, [wanted.vkey]);
  return signed.some(({ outcome }) => outcome === "valid") ? ["signer (signature verified)"] : [];
}

function digestMatches(entry: UntrustedStatement, digest: string): string[] {
  const what = findDigest(entry.statement as Statement, digest).map((match) =>
    match.kind === "artifact"
      ? `artifact ${match.name}`
      : `${match.platform} ${match.register} of ${shapeText(match.shape)}`,
  );
  if (entry.kind === "boot-measurement") {
    const { build } = entry.statement.predicate;
    for (const { name, action } of build.actions) if (action.sha256 === digest) what.push(`action ${name}`);
    for (const part of ["recipe", "lock", "provenance"] as const)
      if (build[part].sha256 === digest) what.push(part);
  }
  if (entry.kind === "rebuild")
    for (const { name, found } of entry.statement.predicate.artifacts)
      if (found?.sha256 === digest && !what.includes(`artifact ${name}`)) what.push(`rebuilt ${name}`);
  return what;
}

function releaseOf(entry: UntrustedStatement): string {
  if (entry.kind === "boot-measurement") {
    const { name, version } = entry.statement.predicate.release;
    return `${name} ${version}`;
  }
  return entry.kind === "rebuild" ? entry.statement.predicate.verdict : "";
}
