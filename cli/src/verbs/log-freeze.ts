/**
 * `bootproof log freeze`: a log takes no more entries.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
It cannot be undone. The final checkpoint is published once more, with fresh cosignatures; everything
stays readable and provable. What is to be logged from now on goes to a log of another name:
bootproof log init --continues DIR`;

/** Defines `log freeze`. */
export function defineLogFreeze(log: Command, frame: Frame): void {
  frame
    .verb(
      log,
      "freeze",
      "take no more entries, for ever; prints the final checkpoint",
      async (context, given) => (await import("../work/log-freeze.ts")).freeze(context, given),
    )
    .option("--log <dir>", "the log's folder", "out/log")
    .addHelpText("after", AFTER);
}
