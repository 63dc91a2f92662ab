/**
 * `bootproof log`: starts a log, adds entries, and reads back what it can prove.
 * @module
 */
import type { Command } from "commander";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput } from "../frame/files.ts";
import type { Frame } from "../frame/frame.ts";
import { parseUnsigned, type Given } from "../frame/given.ts";
import { formatFields, formatTable } from "../report/table.ts";

const PLACE = ["--log <dir>", "the log's folder, or its URL for reading", "out/log"] as const;
const VKEY = [
  "--vkey <key>",
  "the log's public key, or a file with it (default: the one beside the log)",
] as const;
// Go readers take tree sizes up to 2^63-1.
const MAX_INDEX = 2n ** 63n - 1n;

const SERVE = `
The folder holds only what everyone may read, ready for any web server; the log's key and state
lie beside it in DIR.private.`;

/** Defines `log init`, `add`, `checkpoint`, `proof` and `audit`. */
export function defineLog(parent: Command, frame: Frame): void {
  const log = parent
    .command("log")
    .helpCommand(false)
    .description("run and read a transparency log (C2SP tlog-tiles)");
  frame
    .verb(log, "init", "start an empty log with a new key", init)
    .option(...PLACE)
    .option("--origin <name>", "its name, such as example.org/boot (default: made from its key)")
    .addHelpText("after", SERVE);
  frame
    .verb(log, "add <files...>", "append files as entries; prints where each is", add)
    .option(...PLACE)
    .addHelpText(
      "after",
      "\nAn entry that is there already is not added again. Example: bootproof log add envelope.json",
    );
  frame
    .verb(log, "checkpoint", "print the signed checkpoint after checking it", checkpoint)
    .option(...PLACE)
    .option(...VKEY);
  frame
    .verb(log, "proof <index>", "print the offline proof of an entry (a .tlog-proof)", proof)
    .option(...PLACE)
    .option(...VKEY);
  frame
    .verb(log, "audit", "hash every file of the log again; exit 1 and name the file when one is wrong", audit)
    .option(...PLACE)
    .option(...VKEY);
}

async function init(context: Context, given: Given): Promise<ExitCode> {
  const { createLog, privateFolder } = await import("../places/log-place.ts");
  const folder = given.text("log") ?? "";
  const { signer } = await createLog(folder, given.text("origin"));
  const fields = [
    ["log", folder],
    ["private state", privateFolder(folder)],
    ["key", signer.vkey],
  ] as const;
  await context.answer(formatFields(fields), {
    schema: "bootproof/log/1",
    log: folder,
    origin: signer.name,
    vkey: signer.vkey,
  });
  return EXIT.yes;
}

async function add(context: Context, given: Given): Promise<ExitCode> {
  const { openLog } = await import("../places/log-place.ts");
  const files = given.arguments(0);
  const entries: Uint8Array[] = [];
  for (const file of files) entries.push(await readInput(file, 65_535));
  const { log } = await openLog(given.text("log") ?? "");
  const places = await log.append(entries);
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

async function checkpoint(context: Context, given: Given): Promise<ExitCode> {
  const { formatHex } = await import("@bootproof/bytes");
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

async function proof(context: Context, given: Given): Promise<ExitCode> {
  const { formatTlogProof } = await import("@bootproof/log");
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

async function audit(context: Context, given: Given): Promise<ExitCode> {
  const { audit: auditTree } = await import("@bootproof/log");
  const opened = await openForReading(context, given);
  const report = await context.progress.during("hash every file", () =>
    auditTree(opened.fetch, opened.checkpoint),
  );
  const { size, entries, tiles, bundles, fault } = report;
  const fields: [string, string][] = [
    ["origin", opened.checkpoint.origin],
    ["key", `${opened.vkey}${opened.selfReported ? " (self-reported: found beside the log)" : ""}`],
    ["size", String(size)],
    ["read", `${String(entries)} entries, ${String(bundles)} entry bundles, ${String(tiles)} tiles`],
  ];
  if (fault !== undefined) {
    const place = fault.offset === undefined ? "" : ` at offset 0x${fault.offset.toString(16)}`;
    fields.push(
      ["wrong", `${fault.file}${place}: ${fault.reason}`],
      ["expected", fault.expected],
      ["found", fault.found],
    );
  }
  fields.push(["answer", fault === undefined ? "yes: every byte hashes to the checkpoint" : "no"]);
  await context.answer(formatFields(fields), {
    schema: "bootproof/log-audit/1",
    answer: fault === undefined ? "yes" : "no",
    origin: opened.checkpoint.origin,
    vkey: opened.vkey,
    keySelfReported: opened.selfReported,
    size: Number(size),
    entries: Number(entries),
    tiles,
    bundles,
    fault,
  });
  return fault === undefined ? EXIT.yes : EXIT.no;
}

async function openForReading(
  context: Context,
  given: Given,
): Promise<Awaited<ReturnType<typeof import("../places/log-place.ts").readLog>>> {
  const { readLog, readVkey } = await import("../places/log-place.ts");
  const vkey = given.text("vkey");
  const opened = await readLog(
    context,
    given.text("log") ?? "",
    vkey === undefined ? undefined : await readVkey(vkey),
  );
  if (opened.selfReported) context.note(`the log's key was found beside it; --vkey names the one you expect`);
  return opened;
}
