/**
 * Removes partial tiles that full ones have replaced from a log on this machine.
 * @module
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import { collectPartials } from "@bootproof/log";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { type Given, parseUnsigned } from "../frame/given.ts";
import { privateFolder } from "../places/log-place.ts";
import { openLogStores } from "../places/open-log-place.ts";
import { formatFields } from "../report/table.ts";
import { openForReading } from "./log.ts";

/** A year: who keeps partial tiles for longer need not collect them. */
const MAX_MINUTES = 366n * 24n * 60n;

/** Collects the partial tiles of a log. */
export async function gc(context: Context, given: Given): Promise<ExitCode> {
  const folder = resolve(context.cwd, given.text("log") ?? "");
  const minutes = parseUnsigned("--keep", given.text("keep") ?? "", MAX_MINUTES);
  const { open } = await openForReading(context, given);
  await demandPrivatePart(folder);
  const { env, options } = context;
  const { objects, staging, close } = await openLogStores(folder, { env, offline: options.offline });
  const reader = await open();
  const { removed, collected, size } = await context.progress
    .during("collect partial tiles", () =>
      collectPartials({
        objects,
        staging,
        reader,
        now: Math.floor(Date.now() / 1000),
        keep: Number(minutes) * 60,
      }),
    )
    .finally(close);
  const fields = [
    ["log", folder],
    ["removed", `${removed} partial tiles and bundles`],
    ["without partial ones", `what was full at size ${collected} of ${size}`],
  ] as const;
  await context.answer(formatFields(fields), {
    schema: "bootproof/log-gc/1",
    removed,
    collected: Number(collected),
    size: Number(size),
  });
  return EXIT.yes;
}

async function demandPrivatePart(folder: string): Promise<void> {
  const hidden = privateFolder(folder);
  if ((await stat(hidden).catch(() => undefined)) !== undefined) return;
  throw new Failure("BP-LOG-003", EXIT.noInput, "only the log's own machine can collect its partial tiles", {
    file: hidden,
    hint: "name the folder of a log that is written here: --log DIR",
  });
}
