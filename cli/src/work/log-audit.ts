/**
 * Hashes a log's files again: all of them, or with a state file those that are new since the last audit.
 * @module
 */
import { stat } from "node:fs/promises";

import {
  audit as auditTree,
  formatAuditState,
  noteVerifiers,
  openCheckpoint,
  parseAuditState,
  type AuditedBefore,
  type AuditReport,
  type SignedCheckpoint,
} from "@bootproof/log";

import { reading } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput, writeAnswer } from "../frame/files.ts";
import { usage, type Given } from "../frame/given.ts";
import { endsElsewhere, readContinued, type Continued } from "../places/continuation.ts";
import type { ReadableLog } from "../places/log-place.ts";
import { formatFields } from "../report/table.ts";
import { openForReading } from "./log.ts";

/** What the state file said before. */
interface Remembered extends AuditedBefore {
  readonly seen: SignedCheckpoint;
}

/** Audits a log. */
export async function audit(context: Context, given: Given): Promise<ExitCode> {
  const opened = await openForReading(context, given, "later");
  const file = given.text("state");
  const before = file === undefined ? undefined : await readState(file, opened);
  const { note } = opened.checkpoint;
  const report = await context.progress.during("hash every file", () =>
    auditTree(opened.fetch, opened.checkpoint, {
      ...(before === undefined ? {} : { after: before }),
      ...(file === undefined ? {} : { save: (edge) => writeAnswer(file, formatAuditState({ note, edge })) }),
    }),
  );
  // After the audit: damaged files can prove no growth, and which ones they are is what an audit is for.
  if (report.fault === undefined) await opened.demandGrowth();
  const old = report.fault === undefined ? await continued(context, given, opened) : undefined;
  await answer(context, opened, report, { before, old });
  return report.fault === undefined && old?.endsElsewhere === undefined ? EXIT.yes : EXIT.no;
}

/** The log that this one continues, and whether that still ends there; read where --continues says. */
interface ContinuedLog extends Continued {
  readonly endsElsewhere: string | undefined;
}

async function continued(
  context: Context,
  given: Given,
  { open }: ReadableLog,
): Promise<ContinuedLog | undefined> {
  const old = await readContinued(await open());
  const place = given.text("continues");
  if (place === undefined) return old === undefined ? undefined : { ...old, endsElsewhere: undefined };
  if (old === undefined) throw usage("this log continues none", "leave --continues away");
  return { ...old, endsElsewhere: await endsElsewhere(context, place, old.continuation) };
}

/** Reads what an earlier audit left; the checkpoint in it must be signed by the log's key, like any other. */
async function readState(file: string, { vkeys, checkpoint }: ReadableLog): Promise<Remembered | undefined> {
  const isThere = await stat(file).catch(() => undefined);
  if (isThere === undefined) return undefined;
  const bytes = await readInput(file, 2 ** 20);
  return reading(file, () => {
    const { note, edge } = parseAuditState(bytes);
    return { edge, seen: openCheckpoint(note, noteVerifiers(vkeys), checkpoint.origin) };
  });
}

async function answer(
  context: Context,
  { checkpoint, vkey, selfReported }: ReadableLog,
  { size, from, entries, tiles, bundles, fault }: AuditReport,
  { before, old }: { readonly before: Remembered | undefined; readonly old: ContinuedLog | undefined },
): Promise<void> {
  const fields: [string, string][] = [
    ["origin", checkpoint.origin],
    ["key", `${vkey}${selfReported ? " (self-reported: found beside the log)" : ""}`],
    ["size", String(size)],
    ["read", `${String(entries)} entries, ${String(bundles)} entry bundles, ${String(tiles)} tiles`],
  ];
  if (before !== undefined)
    fields.push(["seen before", `size ${String(before.seen.size)}; went on at entry ${String(from)}`]);
  if (fault !== undefined) {
    const place = fault.offset === undefined ? "" : ` at offset 0x${fault.offset.toString(16)}`;
    fields.push(
      ["wrong", `${fault.file}${place}: ${fault.reason}`],
      ["expected", fault.expected],
      ["found", fault.found],
    );
  }
  fields.push(...continuedFields(old));
  const isRight = fault === undefined && old?.endsElsewhere === undefined;
  const whole = before === undefined ? "every byte hashes to the checkpoint" : "the log has only grown";
  fields.push(["answer", isRight ? `yes: ${whole}` : "no"]);
  const text = (note: Uint8Array): string => new TextDecoder().decode(note);
  await context.answer(formatFields(fields), {
    schema: "bootproof/log-audit/1",
    answer: isRight ? "yes" : "no",
    origin: checkpoint.origin,
    vkey,
    keySelfReported: selfReported,
    size: Number(size),
    from: Number(from),
    entries: Number(entries),
    tiles,
    bundles,
    fault,
    continues: old === undefined ? undefined : continuedDocument(old),
    // Two signed checkpoints that contradict each other are evidence, so both are handed out.
    checkpoint: text(checkpoint.note),
    seenBefore: before === undefined ? undefined : text(before.seen.note),
  });
}

function continuedFields(old: ContinuedLog | undefined): [string, string][] {
  if (old === undefined) return [];
  const { continuation, signedAs, endsElsewhere: found } = old;
  const { origin, size, root } = continuation;
  const fields: [string, string][] = [
    [
      "continues",
      `${origin} at size ${String(size)} (says ${signedAs.join(", ")}; that signature is unchecked)`,
    ],
  ];
  if (found !== undefined)
    fields.push(
      ["wrong", "the old log does not end there"],
      ["expected", `size ${String(size)}, root ${root}`],
      ["found", found],
    );
  return fields;
}

function continuedDocument({ continuation, signedAs, endsElsewhere: found }: ContinuedLog): object {
  const { origin, size, root, keys } = continuation;
  return { origin, size, root, keys, signedAs, endsElsewhere: found };
}
