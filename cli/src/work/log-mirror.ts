/**
 * Copies a log, once or again and again.
 * @module
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { formatHex, KEY_TYPE, parseVkey } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import {
  addSignatures,
  collectPartials,
  cosign,
  LogError,
  LogReader,
  mirrorLog,
  type MirrorReport,
  type SignedCheckpoint,
} from "@bootproof/log";
import { writeFileAtomic } from "@bootproof/store";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { outputFailure } from "../frame/files.ts";
import { type Given, parseUnsigned, usage } from "../frame/given.ts";
import { sleep } from "../frame/sleep.ts";
import { readLog, readVkey, type ReadableLog } from "../places/log-place.ts";
import { mirrorFolder, openMirror, type MirrorPlace } from "../places/mirror-place.ts";
import { formatVkeyFile, VKEY_FILE } from "../places/vkey-file.ts";
import { formatFields } from "../report/table.ts";
import { readSigner } from "../signing/key-file.ts";

const MAX_JOBS = 64n;
const DAY = 86_400n;
/** Partial tiles of the copy's older checkpoints stay for an hour. */
const KEEP_PARTIALS = 3600;

/** How to copy. */
interface Order {
  readonly place: string;
  readonly to: string;
  readonly byOrigin: boolean;
  readonly jobs: number;
  readonly cosigner: Signer | undefined;
  readonly follow: boolean;
}

/** What one look at the log brought. */
interface Round extends MirrorReport {
  readonly log: ReadableLog;
  readonly folder: string;
}

/** Copies a log. */
export async function mirror(context: Context, given: Given): Promise<ExitCode> {
  const order = await readOrder(context, given);
  const named = given.text("vkey");
  let vkey = named === undefined ? undefined : await readVkey(named);
  const interval = Number(parseUnsigned("--interval", given.text("interval") ?? "", DAY)) * 1000;
  for (;;) {
    const round = await oneRound(context, order, vkey);
    if (round !== undefined) {
      if (!order.follow) return await answer(context, round);
      if (vkey === undefined || round.written > 0) await tell(context, round);
      // The key that was taken at the first look is the one that counts from then on.
      vkey = round.log.vkey;
    }
    await sleep(Math.max(interval, 100), context.signal);
    context.signal.throwIfAborted();
  }
}

async function readOrder(context: Context, given: Given): Promise<Order> {
  const place = given.argument(0);
  const folder = given.text("to") ?? "";
  // As from a variable that is not set: the copy would lie open in the folder where one happens to be.
  if (folder === "") throw usage("--to names no folder");
  const to = resolve(context.cwd, folder);
  if (resolve(context.cwd, place) === to) throw usage("the log and its copy are the same folder");
  const jobs = Number(parseUnsigned("--jobs", given.text("jobs") ?? "", MAX_JOBS));
  if (jobs === 0) throw usage("--jobs is at least 1");
  const key = given.text("key");
  const cosigner = key === undefined ? undefined : await readSigner(key);
  if (cosigner !== undefined && parseVkey(cosigner.vkey).type === KEY_TYPE.ed25519)
    throw usage("a mirror needs a key for cosignatures", "bootproof witness init makes one");
  return { place, to, byOrigin: given.flag("byOrigin"), jobs, cosigner, follow: given.flag("follow") };
}

/** Looks at the log once; undefined when it cannot be reached and there will be another look. */
async function oneRound(
  context: Context,
  order: Order,
  vkey: string | undefined,
): Promise<Round | undefined> {
  try {
    const known = vkey ?? (order.byOrigin ? undefined : await keyOfCopy(order.to));
    const log = await readLog(context, order.place, known);
    if (log.selfReported) context.note("the log's key was found beside it; --vkey names the one you expect");
    return await copy(context, order, log);
  } catch (error) {
    if (!order.follow || !isPassing(error) || context.signal.aborted) throw error;
    const { message, found } = wordsOf(error);
    context.note(`${message}${found === undefined ? "" : ` (${found})`}; going on`);
    return undefined;
  }
}

/** Whether another look may do: the server is away or busy, or shows a checkpoint before its files, as caches do. */
function isPassing(error: unknown): error is Failure | LogError {
  if (error instanceof Failure) return error.exit === EXIT.unavailable || error.exit === EXIT.tryAgain;
  return error instanceof LogError && (error.kind === "MISSING_OBJECT" || error.kind === "CORRUPT_OBJECT");
}

function wordsOf(error: Failure | LogError): {
  readonly message: string;
  readonly found: string | undefined;
} {
  return error instanceof Failure
    ? { message: error.message, found: error.detail.found }
    : { message: error.message, found: error.file };
}

async function copy(context: Context, order: Order, log: ReadableLog): Promise<Round> {
  const { checkpoint: head, fetch, vkeys } = log;
  const asked = { folder: order.to, byOrigin: order.byOrigin, origin: head.origin, vkeys };
  if (order.cosigner?.name === head.origin)
    throw usage("the mirror's key has the log's own name", "a mirror has a name of its own");
  const place = await openMirror(asked);
  try {
    const current = await place.current();
    const note = await noteOf(head, order.cosigner);
    await keepKey(place.folder, vkeys);
    const work = (onProgress?: (entries: bigint) => void): Promise<MirrorReport> =>
      mirrorLog({
        fetch,
        head,
        objects: place.objects,
        note,
        jobs: order.jobs,
        ...(current === undefined ? {} : { current }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
    // Steps are kept until the end, and --follow has none.
    const report = order.follow
      ? await work()
      : await context.progress.during(`copy ${head.origin}`, (step) =>
          work((entries) => {
            step.update(`${String(entries)} of ${String(head.size)} entries`);
          }),
        );
    if (report.written > 0) await collect(place, head);
    return { ...report, log, folder: mirrorFolder(asked) };
  } finally {
    await place.close();
  }
}

async function noteOf(head: SignedCheckpoint, cosigner: Signer | undefined): Promise<Uint8Array> {
  if (cosigner === undefined) return head.note;
  const time = BigInt(Math.floor(Date.now() / 1000));
  return addSignatures(head.note, [await cosign(head.opened.text, cosigner, time)]);
}

/** Removes what full tiles have replaced in the copy, once an hour has passed. */
async function collect({ objects, staging }: MirrorPlace, head: SignedCheckpoint): Promise<void> {
  const reader = await LogReader.open((path) => objects.get(path), head);
  const now = Math.floor(Date.now() / 1000);
  await collectPartials({ objects, staging, reader, now, keep: KEEP_PARTIALS });
}

async function keyOfCopy(folder: string): Promise<string | undefined> {
  return readFile(join(folder, VKEY_FILE), "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

async function keepKey(folder: string, vkeys: readonly string[]): Promise<void> {
  const file = join(folder, VKEY_FILE);
  const text = formatVkeyFile(vkeys);
  if ((await keyOfCopy(folder)) === text.trim()) return;
  try {
    await writeFileAtomic(file, new TextEncoder().encode(text));
  } catch (error) {
    throw outputFailure(file, error);
  }
}

async function answer(context: Context, round: Round): Promise<ExitCode> {
  const { log, size, from, written, kept } = round;
  const fields: [string, string][] = [
    ["origin", log.checkpoint.origin],
    ["key", `${log.vkeys.join(", ")}${log.selfReported ? " (self-reported: found beside the log)" : ""}`],
    ["copy", round.folder],
    ["size", from === size ? String(size) : `${String(size)}, before ${String(from)}`],
    ["written", `${String(written)} files${kept > 0 ? `; ${String(kept)} bundles were there` : ""}`],
  ];
  await context.answer(formatFields(fields), documentOf(round));
  return EXIT.yes;
}

/** One line for each look that brought something. */
async function tell(context: Context, round: Round): Promise<void> {
  const { log, size, from, written } = round;
  const line = context.options.json
    ? JSON.stringify(documentOf(round))
    : `${log.checkpoint.origin}: ${String(from)} -> ${String(size)}, ${String(written)} files`;
  await context.write(`${line}\n`);
}

const documentOf = ({ log, folder, size, from, written, kept }: Round): object => ({
  schema: "bootproof/log-mirror/1",
  origin: log.checkpoint.origin,
  vkey: log.vkey,
  keySelfReported: log.selfReported,
  folder,
  size: Number(size),
  root: formatHex(log.checkpoint.root),
  from: Number(from),
  written,
  kept,
});
