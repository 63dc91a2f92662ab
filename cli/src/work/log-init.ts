/**
 * Starts a log: an empty one, or one that goes on where a frozen one ended.
 * @module
 */
import type { LogContinuation } from "@bootproof/statement";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { Given } from "../frame/given.ts";
import { continuationOf, readContinued, type FirstEntry } from "../places/continuation.ts";
import {
  createLog,
  openLog,
  privateFolder,
  readVkey,
  type LogSurroundings,
  type NewLog,
  type WritableLog,
} from "../places/log-place.ts";
import { readWitnessing } from "../places/log-witnesses.ts";
import { formatFields } from "../report/table.ts";
import { openSigner } from "../signing/default-key.ts";
import { parseSignerSpec, resolveSpec } from "../signing/signer-spec.ts";

/** Starts a log. */
export async function init(context: Context, given: Given): Promise<ExitCode> {
  const folder = given.text("log") ?? "";
  const surroundings = await readWitnessing(context, given.text("policy"));
  const key = given.text("key");
  const asked = {
    origin: given.text("origin"),
    objects: given.text("objects"),
    privateStore: given.text("privateStore"),
    ...(key === undefined ? {} : { key: resolveSpec(parseSignerSpec(key, "--key"), context.cwd) }),
  };
  const first = await firstEntry(context, given, surroundings);
  const { signer, close } =
    first === undefined
      ? await createLog(folder, asked, surroundings)
      : await createWith(folder, asked, surroundings, first);
  await close();
  const old = first?.continuation;
  const continues = old === undefined ? undefined : { origin: old.origin, size: old.size, root: old.root };
  const fields: [string, string][] = [
    ["log", folder],
    ["private state", privateFolder(folder)],
    ["key", signer.vkey],
  ];
  if (continues !== undefined)
    fields.push(["continues", `${continues.origin}, ${String(continues.size)} entries`]);
  await context.answer(formatFields(fields), {
    schema: "bootproof/log/1",
    log: folder,
    origin: signer.name,
    vkey: signer.vkey,
    continues,
  });
  return EXIT.yes;
}

async function firstEntry(
  context: Context,
  given: Given,
  surroundings: LogSurroundings,
): Promise<FirstEntry | undefined> {
  const place = given.text("continues");
  if (place === undefined) return undefined;
  const vkey = given.text("continuesKey");
  const own = await openSigner(context, given.text("signedBy"));
  if (own.fresh) context.note(`made your signing key: ${own.file}`);
  return continuationOf(context, place, vkey === undefined ? undefined : await readVkey(vkey), {
    signer: own.signer,
    surroundings,
  });
}

/** Starts a log with a first entry; goes on where that was interrupted. */
async function createWith(
  folder: string,
  asked: NewLog,
  surroundings: LogSurroundings,
  { entry, continuation }: FirstEntry,
): Promise<WritableLog> {
  const started = await createLog(folder, asked, surroundings).catch(async (error: unknown) => {
    if (!(error instanceof Failure) || error.code !== "BP-LOG-004") throw error;
    const there = await openLog(folder, surroundings);
    if (await isUnfinished(there, continuation)) return there;
    await there.close();
    throw error;
  });
  try {
    if (started.log.size === 0n) await started.log.append([entry]);
    return started;
  } catch (error) {
    await started.close();
    throw error;
  }
}

/** Whether a log has no entries yet, or the one that it is to begin with. */
async function isUnfinished({ log }: WritableLog, { origin, root }: LogContinuation): Promise<boolean> {
  if (log.size !== 1n) return log.size === 0n;
  await log.refresh();
  const there = (await readContinued(log.reader))?.continuation;
  return there?.origin === origin && there.root === root;
}
