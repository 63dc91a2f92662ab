/**
 * Looks for a digest or a key in a log: in its index when there is one, and in the entries themselves where it ends.
 * @module
 */
import type { LogReader } from "@bootproof/log";
import { LookupIndex, scan, type LookupMatch, type LookupPage } from "@bootproof/service/lookup";
import { parseWanted, type Wanted } from "@bootproof/verify";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { inputFailure } from "../frame/files.ts";
import { type Given, badValue } from "../frame/given.ts";
import { exists, findLookup } from "../places/lookup-place.ts";
import { printable } from "../report/printable.ts";
import { formatTable } from "../report/table.ts";
import { refuseForeign } from "./log-index.ts";
import { openForReading } from "./log.ts";

const PAGE = 1000;

/** Lists every entry that holds a digest, or that a key signed. */
export async function lookup(context: Context, given: Given): Promise<ExitCode> {
  const wanted = readWanted(given.argument(0));
  const named = given.text("index");
  const file = await findLookup(context, given.text("log") ?? "", named);
  if (named !== undefined && file !== undefined && !(await exists(file)))
    throw inputFailure(named, Object.assign(new Error("no such file"), { code: "ENOENT", syscall: "open" }));
  if (named !== undefined && file !== undefined) refuseForeign(file);
  const log = await openForReading(context, given);
  const reader = await log.open();
  const { matches, unsearched, indexed } = await search(reader, wanted, file);
  const name = "digest" in wanted ? wanted.digest : wanted.keyid;
  const { origin, size } = log.checkpoint;
  context.note(howSearched(file, indexed, size));
  if (unsearched.length > 0)
    context.note(`registers that are not derived here were not searched: entry ${unsearched.join(", ")}`);
  const about = "digest" in wanted ? { digest: name } : { key: name, checked: "vkey" in wanted };
  await context.answer(formatFound(name, matches), {
    schema: "bootproof/lookup/1",
    ...about,
    origin,
    size: Number(size),
    index: file,
    indexed: Number(indexed),
    found: matches.map(({ index, what, ...match }) => ({
      index: Number(index),
      ...match,
      what: what.join(", "),
    })),
    unsearched: unsearched.map(Number),
  });
  return matches.length > 0 ? EXIT.yes : unsearched.length > 0 ? EXIT.undecided : EXIT.no;
}

interface Searched extends Omit<LookupPage, "next"> {
  /** How many entries the index answered for. */
  readonly indexed: bigint;
}

async function search(reader: LogReader, wanted: Wanted, file: string | undefined): Promise<Searched> {
  if (file === undefined) return { ...(await scan(reader, wanted)), indexed: 0n };
  const index = LookupIndex.open(file);
  try {
    // An index of another log would find nothing here, and say nothing of it.
    const isOf = await index.isOf(reader);
    const indexed = isOf ? smaller(index.entries, reader.head.size) : 0n;
    const matches: LookupMatch[] = [];
    const unsearched: bigint[] = [];
    for (let from: bigint | undefined = isOf ? 0n : undefined; from !== undefined;) {
      const page: LookupPage = await index.find(reader, wanted, { from, limit: PAGE });
      matches.push(...page.matches);
      unsearched.push(...page.unsearched);
      from = page.next;
    }
    const rest = await scan(reader, wanted, indexed);
    return {
      matches: [...matches, ...rest.matches],
      unsearched: [...unsearched, ...rest.unsearched],
      indexed,
    };
  } finally {
    index.close();
  }
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function howSearched(file: string | undefined, indexed: bigint, size: bigint): string {
  if (file === undefined)
    return `looked through all ${size} entries; bootproof log index build makes an index`;
  if (indexed === size) return `looked into the index ${file}`;
  return `looked into the index ${file}, and through ${size - indexed} entries that it does not cover`;
}

function readWanted(text: string): Wanted {
  const wanted = reading("the key", () => parseWanted(text));
  if (wanted !== undefined) return wanted;
  throw badValue("the digest", "32, 48 or 64 bytes in hex or base64, NAME+KEYID, or a public key", text);
}

function formatFound(name: string, found: readonly LookupMatch[]): string {
  if (found.length === 0) return `${printable(name)}: not in this log\n`;
  const rows = found.map(({ index, kind, release, what, signers }) => [
    String(index),
    kind,
    release,
    what.join(", "),
    signers.join(" "),
  ]);
  return formatTable(rows, ["index", "kind", "release", "matches", "signed as"]);
}
