/**
 * Follows several logs: once, as cron does, or until it is interrupted.
 * @module
 */
import { makeAlert } from "@bootproof/verify/monitor";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { sleep } from "../frame/sleep.ts";
import { LogWatch, type Look } from "./log-watch.ts";
import { Sinks } from "./sinks.ts";
import type { WatchConfig } from "./watch-config.ts";
import { WatchPlace } from "./watch-place.ts";

/** How to follow. */
export type FollowMode = "once" | "always" | "test sinks";

/** Follows the logs of a configuration; returns what is to be the exit status. */
export async function follow(context: Context, config: WatchConfig, mode: FollowMode): Promise<ExitCode> {
  const place = await WatchPlace.open(config.state);
  const watches: LogWatch[] = [];
  try {
    const sinks = await Sinks.open(context, config.alerts, place.folder);
    if (mode === "test sinks") return await testSinks(context, sinks);
    for (const log of config.logs)
      watches.push(
        await LogWatch.open({
          context,
          config,
          log,
          sinks,
          files: await place.log(log.keys[0].name, log.place),
        }),
      );
    return mode === "once"
      ? await once(context, watches, sinks)
      : await always(context, watches, sinks, config.every);
  } finally {
    for (const watch of watches) watch.close();
    await place.close();
  }
}

async function once(context: Context, watches: readonly LogWatch[], sinks: Sinks): Promise<ExitCode> {
  const looks = await Promise.all(watches.map((watch) => watch.look()));
  await sinks.flush();
  for (const look of looks) context.note(lookText(look));
  noteWaiting(context, sinks);
  if (looks.some(({ alerts }) => alerts > 0)) return EXIT.no;
  return looks.some(({ undecided }) => undecided !== undefined) ? EXIT.undecided : EXIT.yes;
}

async function always(
  context: Context,
  watches: readonly LogWatch[],
  sinks: Sinks,
  every: number,
): Promise<ExitCode> {
  const { signal } = context;
  const failed = new AbortController();
  const sending = sinks.run();
  sending.catch(() => failed.abort());
  const told = new Map<LogWatch, string>();
  const each = async (watch: LogWatch): Promise<void> => {
    const look = await watch.look();
    // What stays as it is is said once.
    const text = lookText(look);
    if (told.get(watch) !== text) context.note(text);
    told.set(watch, text);
  };
  while (!signal.aborted && !failed.signal.aborted) {
    await Promise.all(watches.map(each));
    await sleep(every * 1000, AbortSignal.any([signal, failed.signal]));
  }
  await sending;
  return EXIT.yes;
}

async function testSinks(context: Context, sinks: Sinks): Promise<ExitCode> {
  const now = Math.floor(Date.now() / 1000);
  const alert = makeAlert({
    rule: "test",
    severity: "info",
    origin: "bootproof watch --test-sinks",
    subject: new Date().toISOString(),
    entries: [],
    summary: "this is a test: nothing has happened",
    details: {},
    observed: now,
  });
  await sinks.hear([alert]);
  await sinks.flush();
  noteWaiting(context, sinks);
  return sinks.waiting.every(({ size }) => size === 0) ? EXIT.yes : EXIT.no;
}

function noteWaiting(context: Context, sinks: Sinks): void {
  for (const { name, size } of sinks.waiting)
    if (size > 0) context.note(`${name}: still to be sent: ${String(size)}`);
}

const lookText = ({ log, size, alerts, undecided }: Look): string =>
  undecided === undefined
    ? `${log}: followed to entry ${String(size)}; new alerts: ${String(alerts)}`
    : `${log}: could not decide, at entry ${String(size)}: ${undecided}`;
