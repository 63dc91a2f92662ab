/**
 * Freezes a log.
 * @module
 */
import { formatHex } from "@bootproof/bytes";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { openLog } from "../places/log-place.ts";
import { noteWitnesses, readWitnessing } from "../places/log-witnesses.ts";

/** Freezes a log and prints its final checkpoint; on one that is frozen it asks the witnesses again. */
export async function freeze(context: Context, given: Given): Promise<ExitCode> {
  const { log, witnesses, close } = await openLog(given.text("log") ?? "", await readWitnessing(context));
  try {
    await log.freeze();
  } finally {
    await close();
  }
  noteWitnesses(context, witnesses);
  const { origin, size, root, note } = log.checkpoint;
  const text = new TextDecoder().decode(note);
  await context.answer(text, {
    schema: "bootproof/log-freeze/1",
    origin,
    size: Number(size),
    root: formatHex(root),
    checkpoint: text,
  });
  return EXIT.yes;
}
