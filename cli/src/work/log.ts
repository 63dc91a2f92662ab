/**
 * Starts a log, adds entries, and reads back what it can prove.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { formatTlogProof } from "@bootproof/log";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput } from "../frame/files.ts";
import { type Given, parseUnsigned } from "../frame/given.ts";
import { openLog, readLog, readVkey, type ReadableLog } from "../places/log-place.ts";
import { noteWitnesses, readWitnessing } from "../places/log-witnesses.ts";
import { formatTable } from "../report/table.ts";

// Go readers take tree sizes up to 2^63-1.
const MAX_INDEX = 2n ** 63n - 1n;

/** Appends files as entries. */
export async function add(context: Context, given: Given): Promise<ExitCode> {
  const files = given.arguments(0);
  const entries: Uint8Array[] = [];
  for (const file of files) entries.push(await readInput(file, 65_535));
  const witnessing = await readWitnessing(context, given.text("policy"));
  const { log, witnesses, close } = await openLog(given.text("log") ?? "", witnessing);
  const places = await log.append(entries).finally(close);
  noteWitnesses(context, witnesses);
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
    size: Number(log.checkpoint.size),
    added,
  });
  return EXIT.yes;
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
  const vkey = given.text("vkey");
  const opened = await readLog(
    context,
    given.text("log") ?? "",
    vkey === undefined ? undefined : await readVkey(vkey),
    growth,
  );
  if (opened.selfReported) context.note(`the log's key was found beside it; --vkey names the one you expect`);
  return opened;
}
