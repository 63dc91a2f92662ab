/**
 * Serves a log over HTTP until it is interrupted.
 * @module
 */
import { stat } from "node:fs/promises";

import { KEY_TYPE, parseVkey } from "@bootproof/bytes";
import { Log, parseLogPolicy, type LogPolicy, type WitnessPanel } from "@bootproof/log";
import {
  FiledAdmission,
  Journal,
  LocalSequencer,
  LookupIndex,
  messageOf,
  QueueSequencer,
  serveLog,
  type LogService,
  type OpenedLog,
  type RunningServer,
  type Sequencer,
} from "@bootproof/service/log";
import { entryIdentity } from "@bootproof/statement";

import { toFailure } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno } from "../frame/files.ts";
import { badValue, type Given } from "../frame/given.ts";
import { lookupFile, publishersFile, quotasFile } from "../places/log-files.ts";
import { openLogPlace, privateFolder, type OpenLogPlace } from "../places/log-place.ts";
import { readWitnessing } from "../places/log-witnesses.ts";
import { formatFields } from "../report/table.ts";

/** Cosignatures say when they were made, so they are renewed also when nothing was added. */
const REFRESH_MS = 10 * 60 * 1000;
/** `main.ts` waits five seconds after a signal. */
const GRACE_MS = 4_000;
const MAX_WAIT = 120n;
const MAX_PENDING = 1_000_000n;
const MAX_BATCH_AGE_MS = 60_000n;

/** Serves until it is interrupted, or the log must not be written to any more. */
export async function serve(context: Context, given: Given): Promise<ExitCode> {
  if (context.options.offline)
    throw new Failure("BP-NET-001", EXIT.unavailable, "a log cannot be served with --offline");
  const bounds = readBounds(given);
  // Witnesses are asked to the end: what was taken is published after a signal too.
  const { signal } = new AbortController();
  const { env, options } = context;
  const folder = given.text("log") ?? "";
  const place = await openLogPlace(folder, await readWitnessing({ env, options, signal }));
  try {
    return await servePlace(context, given, bounds, { folder, place });
  } finally {
    await place.close();
  }
}

/** The numbers of the options: read before anything is opened. */
interface Bounds {
  readonly port: number;
  readonly wait: number;
  readonly batchAge: number;
  readonly maxPending: number;
}

function readBounds(given: Given): Bounds {
  const number = (name: string, limit: bigint): number => Number(given.unsigned(name, limit) ?? 0n);
  const maxPending = number("maxPending", MAX_PENDING);
  if (maxPending === 0)
    throw badValue("--max-pending", `a number from 1 to ${String(MAX_PENDING)}, decimal or 0x hex`, "0");
  return {
    port: number("port", 65_535n),
    wait: number("wait", MAX_WAIT),
    batchAge: number("batchAge", MAX_BATCH_AGE_MS),
    maxPending,
  };
}

interface Place {
  readonly folder: string;
  readonly place: OpenLogPlace;
}

async function servePlace(context: Context, given: Given, bounds: Bounds, at: Place): Promise<ExitCode> {
  const { quiet } = context.options;
  const journal = new Journal((text) => {
    if (!quiet) context.journal(text);
  });
  const { place } = at;
  const sequencer = await startSequencer(bounds, place, journal);
  if (sequencer.status().state === "frozen")
    context.note("this log is frozen: it is served, and takes no more entries");
  const server = await listen(given, bounds, { ...at, journal, sequencer, quiet }).catch(
    async (error: unknown) => {
      await sequencer.stop();
      throw error;
    },
  );
  const { origin, vkeys } = place;
  const fields = [["listening on", server.url], ["log", origin], ...vkeys.map((vkey) => ["key", vkey])] as [
    string,
    string,
  ][];
  context.say(formatFields(fields), { schema: "bootproof/log-serve/1", url: server.url, origin, vkeys });
  const fault = await Promise.race([interrupted(context.signal), sequencer.fault]);
  await server.stop(GRACE_MS);
  if (fault !== undefined) throw toFailure(fault);
  return EXIT.yes;
}

async function startSequencer(
  { maxPending, batchAge }: Bounds,
  place: OpenLogPlace,
  journal: Journal,
): Promise<Sequencer> {
  const options = {
    open: () => openOn(place),
    maxPending,
    batchAge,
    refreshEvery: REFRESH_MS,
    report: (event: string, error?: unknown) => {
      if (error === undefined) journal.event("info", event);
      else journal.event("error", event, { error: messageOf(error) });
    },
  };
  const { queue } = place;
  if (queue === undefined) return LocalSequencer.start(options);
  return QueueSequencer.start({ ...options, queue, identityOf: entryIdentity });
}

async function openOn(place: OpenLogPlace): Promise<OpenedLog> {
  const { witnesses } = place;
  const log = await Log.open(place);
  const close = async (): Promise<void> => {
    try {
      await witnesses?.settle();
    } finally {
      await log.close();
    }
  };
  return { log, witnesses, close };
}

interface Served extends Place {
  readonly sequencer: Sequencer;
  readonly journal: Journal;
  /** Whether requests are not told of. */
  readonly quiet: boolean;
}

async function listen(given: Given, { port, wait }: Bounds, served: Served): Promise<RunningServer> {
  const address = { host: given.text("host") ?? "", port };
  const hidden = privateFolder(served.folder);
  const hammer = given.flag("hammer");
  // A load test fills a log with what nobody looks up.
  const lookup = hammer ? undefined : LookupIndex.open(lookupFile(hidden));
  try {
    return await serveLog(await serviceOf(given, served, { hidden, hammer, lookup, wait }), address);
  } catch (error) {
    lookup?.close();
    if (errno(error) === undefined) throw error;
    throw new Failure("BP-NET-003", EXIT.unavailable, "cannot listen at this address", {
      found: `${address.host}:${String(address.port)}: ${errno(error) ?? ""}`,
      cause: error,
    });
  }
}

async function serviceOf(
  given: Given,
  { place, sequencer, journal, quiet }: Served,
  {
    hidden,
    hammer,
    lookup,
    wait,
  }: {
    hidden: string;
    hammer: boolean;
    lookup: LookupIndex | undefined;
    wait: number;
  },
): Promise<LogService> {
  const { origin, vkeys, witnesses, objects } = place;
  const publishers = given.text("publishers") ?? (await ifThere(publishersFile(hidden)));
  const admission: LogService["admission"] =
    publishers === undefined
      ? undefined
      : (log) =>
          FiledAdmission.open({
            publishers,
            quotas: quotasFile(hidden),
            log,
            now: () => Math.floor(Date.now() / 1000),
            report: (line) => journal.event("warn", line),
          });
  const policy = policyOf(vkeys, witnesses);
  const fetch = (path: string): Promise<Uint8Array | undefined> => objects.get(path);
  const told = quiet ? undefined : journal;
  return { sequencer, fetch, origin, policy, admission, lookup, wait, hammer, journal: told };
}

/** What a proof must satisfy before it is handed out: one of the log's keys, and its witnesses. */
function policyOf(vkeys: readonly string[], panel: WitnessPanel | undefined): LogPolicy {
  const logs = vkeys.filter((vkey) => parseVkey(vkey).type === KEY_TYPE.ed25519);
  const text = `${logs.map((vkey) => `log ${vkey}\n`).join("")}quorum none\n`;
  return { ...parseLogPolicy(new TextEncoder().encode(text)), ...panel?.policy };
}

async function ifThere(file: string): Promise<string | undefined> {
  return (await stat(file).catch(() => undefined)) === undefined ? undefined : file;
}

function interrupted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
