/**
 * Looks through a log for a digest.
 * @module
 */
import { ParseError, formatHex, parseDigest } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import type { Statement } from "@bootproof/statement";
import { findDigest } from "@bootproof/verify";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, badValue } from "../frame/given.ts";
import { readLog, readVkey } from "../places/log-place.ts";
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

/** Lists every entry that holds a digest. */
export async function lookup(context: Context, given: Given): Promise<ExitCode> {
  const digest = parseAnyDigest(given.argument(0));
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
    const what = formatHex(leafHash(entry)) === digest ? ["leaf hash"] : [];
    if (statement !== undefined) what.push(...matches(statement, digest));
    if (what.length > 0)
      found.push({
        index: Number(index),
        kind: statement?.kind ?? "entry",
        what: what.join(", "),
        release: statement === undefined ? "" : releaseOf(statement),
        signers: statement === undefined ? [] : claimedSigners(statement),
      });
  }
  const rows = found.map(({ index, kind, release, what, signers }) => [
    String(index),
    kind,
    release,
    what,
    signers.join(" "),
  ]);
  const text =
    found.length === 0
      ? `${digest}: not in this log\n`
      : formatTable(rows, ["index", "kind", "release", "matches", "signed as"]);
  const { origin, size } = log.checkpoint;
  await context.answer(text, { schema: "bootproof/lookup/1", digest, origin, size: Number(size), found });
  return found.length === 0 ? EXIT.no : EXIT.yes;
}

function parseAnyDigest(text: string): string {
  for (const name of ["sha256", "sha384"] as const)
    try {
      return formatHex(parseDigest(name, text));
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  throw badValue("the digest", "32 or 48 bytes in hex or base64", text);
}

function matches(entry: UntrustedStatement, digest: string): string[] {
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
