/**
 * `bootproof lookup DIGEST`: who published this register, artifact or key in a log.
 * @module
 */
import type { Statement } from "@bootproof/statement";
import type { Command } from "commander";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Frame } from "../frame/frame.ts";
import type { Given } from "../frame/given.ts";
import { formatTable } from "../report/table.ts";
import type { UntrustedStatement } from "../statements/read-entry.ts";

const AFTER = `
DIGEST is a launch digest or other register, the sha256 or sha384 of an artifact, an action digest,
or a leaf hash: hex or base64, with or without a prefix such as sha384:.

What is found is what was logged; whether its signer is one you accept, verify says:
  bootproof log proof INDEX --out x.tlog-proof && bootproof verify x.tlog-proof --policy P

Example: bootproof lookup sha256:5891b5b522d5df08... --log out/log`;

/** Defines `lookup`. */
export function defineLookup(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "lookup <digest>", "who published this register, artifact or action", lookup)
    .option("--log <dir>", "the log's folder or URL", "out/log")
    .option("--vkey <key>", "the log's public key, or a file with it (default: the one beside the log)")
    .addHelpText("after", AFTER);
}

interface Found {
  readonly index: number;
  readonly kind: string;
  readonly what: string;
  readonly release: string;
  readonly signers: readonly string[];
}

async function lookup(context: Context, given: Given): Promise<ExitCode> {
  const { readLog, readVkey } = await import("../places/log-place.ts");
  const { formatHex } = await import("@bootproof/bytes");
  const { leafHash } = await import("@bootproof/log");
  const { tryReadEntry, claimedSigners } = await import("../statements/read-entry.ts");
  const digest = await parseAnyDigest(given.argument(0));
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
    if (statement !== undefined) what.push(...(await matches(statement, digest)));
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

async function parseAnyDigest(text: string): Promise<string> {
  const { formatHex, parseDigest, ParseError } = await import("@bootproof/bytes");
  const { badValue } = await import("../frame/given.ts");
  for (const name of ["sha256", "sha384"] as const)
    try {
      return formatHex(parseDigest(name, text));
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  throw badValue("the digest", "32 or 48 bytes in hex or base64", text);
}

async function matches(entry: UntrustedStatement, digest: string): Promise<string[]> {
  const { findDigest } = await import("@bootproof/verify");
  const { shapeText } = await import("../statements/shape-text.ts");
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
