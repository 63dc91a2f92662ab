/**
 * Makes the lookup index of a log, and proves one complete.
 * @module
 */
import { LookupIndex, verifyIndex } from "@bootproof/service/lookup";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { inputFailure } from "../frame/files.ts";
import type { Given } from "../frame/given.ts";
import { exists, lookupPlace } from "../places/lookup-place.ts";
import { formatFields } from "../report/table.ts";
import { openForReading } from "./log.ts";

/** Makes or continues an index. */
export async function build(context: Context, given: Given): Promise<ExitCode> {
  const file = fileOf(context, given);
  const log = await openForReading(context, given);
  const reader = await log.open();
  const index = LookupIndex.open(file);
  try {
    const added = await context.progress.during("index the entries", () =>
      index.follow(reader, context.signal),
    );
    context.signal.throwIfAborted();
    const { origin, size } = log.checkpoint;
    const fields: [string, string][] = [
      ["index", file],
      ["origin", origin],
      ["entries", `${String(index.entries)} of ${String(size)}, ${String(added)} of them new`],
      ["keys", String(index.keys.pairs)],
    ];
    await context.answer(formatFields(fields), {
      schema: "bootproof/log-index/1",
      index: file,
      origin,
      size: Number(size),
      entries: Number(index.entries),
      added: Number(added),
      keys: Number(index.keys.pairs),
    });
    return EXIT.yes;
  } finally {
    index.close();
  }
}

/** Compares an index with the log. */
export async function verify(context: Context, given: Given): Promise<ExitCode> {
  const file = fileOf(context, given);
  // Opening makes one where there is none, and an empty log has an empty index.
  if (!(await exists(file))) throw inputFailure(file, absent(file));
  const index = LookupIndex.open(file);
  try {
    const report = await context.progress.during("compare the index with every entry", () =>
      verifyIndex(index, async () => (await openForReading(context, given)).open()),
    );
    const { fault } = report;
    const answer = fault === undefined ? "yes" : "no";
    const fields: [string, string][] = [
      ["index", file],
      ["compared", `${String(report.entries)} entries, ${String(report.keys)} keys`],
      ...(fault === undefined
        ? []
        : ([["wrong", `entry ${String(fault.entry)}: ${fault.reason}`]] as [string, string][])),
      ["answer", fault === undefined ? "yes: it holds every key of every entry, and nothing else" : "no"],
    ];
    await context.answer(formatFields(fields), {
      schema: "bootproof/log-index-verify/1",
      answer,
      index: file,
      entries: Number(report.entries),
      keys: Number(report.keys),
      fault: fault === undefined ? undefined : { entry: Number(fault.entry), reason: fault.reason },
    });
    return fault === undefined ? EXIT.yes : EXIT.no;
  } finally {
    index.close();
  }
}

function fileOf(context: Context, given: Given): string {
  const named = given.text("index");
  const file = lookupPlace(context, given.text("log") ?? "", named);
  if (named !== undefined) refuseForeign(file);
  return file;
}

/** An index that is damaged is made anew, so a file of somebody's that is none must not be taken for one. */
export function refuseForeign(file: string): void {
  if (!LookupIndex.isForeign(file)) return;
  throw new Failure("BP-USAGE-002", EXIT.usage, "the file is no index of a log", {
    file,
    hint: "name another one, or remove it if it is a damaged index",
  });
}

const absent = (path: string): Error =>
  Object.assign(new Error("no such file"), { code: "ENOENT", syscall: "open", path });
