/**
 * Starts a log, adds entries, and reads back what it can prove.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { formatTlogProof, type Appended } from "@bootproof/log";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput } from "../frame/files.ts";
import { type Given, parseUnsigned, usage } from "../frame/given.ts";
import { isUrl } from "../places/is-url.ts";
import { openLog, readLog, readVkey, type ReadableLog } from "../places/log-place.ts";
import { noteWitnesses, readWitnessing } from "../places/log-witnesses.ts";
import type { RemoteEntry } from "../places/remote-log.ts";
import { formatTable } from "../report/table.ts";

// Go readers take tree sizes up to 2^63-1.
const MAX_INDEX = 2n ** 63n - 1n;

/** Appends files as entries, to a log on a folder or to one that somebody else serves. */
export async function add(context: Context, given: Given): Promise<ExitCode> {
  const files = given.arguments(0);
  const entries: Uint8Array[] = [];
  for (const file of files) entries.push(await readInput(file, 65_535));
  const place = given.text("log") ?? "";
  const { places, size } = await (isUrl(place) ? send : append)(context, given, place, entries);
  const added = places.map(({ index, duplicate }, at) => ({
    file: files[at] ?? "",
    index: Number(index),
    duplicate,
  }));
  const rows = added.map(({ file, index, duplicate }) => [
    String(index),
    duplicate ? "was there" : "added",
    file,
  ]);
  await context.answer(formatTable(rows), {
    schema: "bootproof/log-add/1",
    size: Number(size),
    added,
  });
  return EXIT.yes;
}

interface Added {
  readonly places: readonly Appended[];
  /** Size of the log that they are in. */
  readonly size: bigint;
}

async function append(
  context: Context,
  given: Given,
  folder: string,
  entries: readonly Uint8Array[],
): Promise<Added> {
  const witnessing = await readWitnessing(context, given.text("policy"));
  const { log, witnesses, close } = await openLog(folder, witnessing);
  const places = await log.append(entries).finally(close);
  noteWitnesses(context, witnesses);
  return { places, size: log.checkpoint.size };
}

async function send(
  context: Context,
  given: Given,
  url: string,
  entries: readonly Uint8Array[],
): Promise<Added> {
  if (given.has("policy")) throw usage("a log at a URL has a policy of its own", "leave --policy away");
  const { RemoteLog } = await import("../places/remote-log.ts");
  const log = await RemoteLog.open(context, url, await vkeyOf(given));
  const places: RemoteEntry[] = [];
  for (const entry of entries) places.push(await log.submit(entry));
  return { places, size: places.at(-1)?.size ?? 0n };
}

/** The key that was named. */
async function vkeyOf(given: Given): Promise<string | undefined> {
  const vkey = given.text("vkey");
  return vkey === undefined ? undefined : readVkey(vkey);
}

/** Prints the checkpoint after checking it. */
export async function checkpoint(context: Context, given: Given): Promise<ExitCode> {
  const opened = await openForReading(context, given);
  const { origin, size, root, note } = opened.checkpoint;
  await context.answer(new TextDecoder().decode(note), {
    schema: "bootproof/checkpoint/1",
    origin,
    size: Number(size),
    root: formatHex(root),
    vkey: opened.vkey,
    keySelfReported: opened.selfReported,
    checkpoint: new TextDecoder().decode(note),
  });
  return EXIT.yes;
}

/** Prints the offline proof of an entry. */
export async function proof(context: Context, given: Given): Promise<ExitCode> {
  const index = parseUnsigned("the index", given.argument(0), MAX_INDEX);
  const { open, checkpoint: head } = await openForReading(context, given);
  const reader = await open();
  const [extra, hashes] = [await reader.entry(index), await reader.inclusionProof(index)];
  const text = new TextDecoder().decode(formatTlogProof({ extra, index, hashes, checkpoint: head.note }));
  await context.answer(text, {
    schema: "bootproof/log-proof/1",
    index: Number(index),
    size: Number(head.size),
    proof: text,
  });
  return EXIT.yes;
}

/** Opens the log that was named, and says when its key is only its own word. */
export async function openForReading(
  context: Context,
  given: Given,
  growth: "now" | "later" = "now",
): Promise<ReadableLog> {
  const opened = await readLog(context, given.text("log") ?? "", await vkeyOf(given), growth);
  if (opened.selfReported) context.note(`the log's key was found beside it; --vkey names the one you expect`);
  return opened;
}
