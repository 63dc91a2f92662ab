/**
 * Looks through a log for a digest or a key.
 * @module
 */
import { parseWanted, matchEntry, type EntryMatch, type Wanted } from "@bootproof/verify";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, badValue } from "../frame/given.ts";
import { readLog, readVkey } from "../places/log-place.ts";
import { printable } from "../report/printable.ts";
import { formatTable } from "../report/table.ts";

interface Found extends Omit<EntryMatch, "what"> {
  readonly index: number;
  readonly what: string;
}

/** Lists every entry that holds a digest, or that a key signed. */
export async function lookup(context: Context, given: Given): Promise<ExitCode> {
  const wanted = readWanted(given.argument(0));
  const vkey = given.text("vkey");
  const log = await readLog(
    context,
    given.text("log") ?? "",
    vkey === undefined ? undefined : await readVkey(vkey),
  );
  const reader = await log.open();
  const found: Found[] = [];
  const unsearched: number[] = [];
  for await (const { index, entry } of reader.entries()) {
    const match = matchEntry(wanted, entry);
    if (match === "unsearched") unsearched.push(Number(index));
    else if (match !== undefined) found.push({ index: Number(index), ...match, what: match.what.join(", ") });
  }
  const name = "digest" in wanted ? wanted.digest : wanted.keyid;
  if (unsearched.length > 0)
    context.note(`registers that are not derived here were not searched: entry ${unsearched.join(", ")}`);
  const { origin, size } = log.checkpoint;
  const about = "digest" in wanted ? { digest: name } : { key: name, checked: "vkey" in wanted };
  await context.answer(formatFound(name, found), {
    schema: "bootproof/lookup/1",
    ...about,
    origin,
    size: Number(size),
    found,
    unsearched,
  });
  return found.length > 0 ? EXIT.yes : unsearched.length > 0 ? EXIT.undecided : EXIT.no;
}

function readWanted(text: string): Wanted {
  const wanted = reading("the key", () => parseWanted(text));
  if (wanted !== undefined) return wanted;
  throw badValue("the digest", "32, 48 or 64 bytes in hex or base64, NAME+KEYID, or a public key", text);
}

function formatFound(name: string, found: readonly Found[]): string {
  if (found.length === 0) return `${printable(name)}: not in this log\n`;
  const rows = found.map(({ index, kind, release, what, signers }) => [
    String(index),
    kind,
    release,
    what,
    signers.join(" "),
  ]);
  return formatTable(rows, ["index", "kind", "release", "matches", "signed as"]);
}
