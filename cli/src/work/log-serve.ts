/**
 * Serves a log over HTTP until it is interrupted.
 * @module
 */
import { singleLogPolicy, type LogPolicy } from "@bootproof/log";
import {
  Journal,
  LocalSequencer,
  serveLog,
  type OpenedLog,
  type RunningServer,
} from "@bootproof/service/log";

import { toFailure } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno } from "../frame/files.ts";
import type { Given } from "../frame/given.ts";
import { openLog, readLog, type ReadableLog } from "../places/log-place.ts";
import { proofPolicy, readWitnessing } from "../places/log-witnesses.ts";
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
  const folder = given.text("log") ?? "";
  const address = { host: given.text("host") ?? "", port: Number(given.unsigned("port", 65_535n) ?? 0n) };
  const journal = new Journal((text) => {
    if (!context.options.quiet) context.journal(text);
  });
  let witnesses: OpenedLog["witnesses"];
  const sequencer = await LocalSequencer.start({
    open: async () => {
      const opened = await openLog(folder, await readWitnessing(context));
      ({ witnesses } = opened);
      return opened;
    },
    maxPending: Number(given.unsigned("maxPending", MAX_PENDING) ?? 0n),
    batchAge: Number(given.unsigned("batchAge", MAX_BATCH_AGE_MS) ?? 0n),
    refreshEvery: REFRESH_MS,
    report: (event, error) =>
      journal.event("error", event, { error: error instanceof Error ? error.message : String(error) }),
  });
  const log = await readLog(context, folder);
  const rule = proofPolicy(log.vkey, witnesses);
  const policy = "logKey" in rule ? singleLogPolicy(rule.logKey) : rule;
  const served = { sequencer, journal, log, policy };
  const server = await listen(given, served, address).catch(async (error: unknown) => {
    await sequencer.stop();
    throw error;
  });
  const { origin, size } = log.checkpoint;
  const fields = [
    ["listening on", server.url],
    ["log", `${origin}, ${String(size)} entries`],
    ["key", log.vkey],
  ] as const;
  context.say(formatFields(fields), {
    schema: "bootproof/log-serve/1",
    url: server.url,
    origin,
    size: Number(size),
    vkey: log.vkey,
  });
  const fault = await Promise.race([interrupted(context.signal), sequencer.fault]);
  await server.stop(GRACE_MS);
  if (fault !== undefined) throw toFailure(fault);
  return EXIT.yes;
}

interface Served {
  readonly sequencer: LocalSequencer;
  readonly journal: Journal;
  readonly log: ReadableLog;
  readonly policy: LogPolicy;
}

async function listen(
  given: Given,
  { sequencer, journal, log, policy }: Served,
  address: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  try {
    const service = {
      sequencer,
      journal,
      fetch: log.fetch,
      origin: log.checkpoint.origin,
      policy,
      hammer: given.flag("hammer"),
      wait: Number(given.unsigned("wait", MAX_WAIT) ?? 0n),
    };
    return await serveLog(service, address);
  } catch (error) {
    const found = errno(error) ?? (error instanceof Error ? error.message : String(error));
    throw new Failure("BP-NET-003", EXIT.unavailable, "cannot listen at this address", {
      found: `${address.host}:${String(address.port)}: ${found}`,
      cause: error,
    });
  }
}

function interrupted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
