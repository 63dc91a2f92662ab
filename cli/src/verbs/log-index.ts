/**
 * `bootproof log index`: the index by which digests are looked up, made from the log and proved complete.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const PLACE = ["--log <dir>", "the log's folder or URL", "out/log"] as const;
const INDEX = ["--index <file>", "the index (default: lookup.sqlite in DIR.private)"] as const;
const VKEY = [
  "--vkey <key>",
  "the log's public key, or a file with it (default: the one beside the log)",
] as const;

const BUILD = `
Goes on where it was stopped, and reads only what is new. A served log keeps its index itself.

Example: bootproof log index build --log https://log.example.org --index log.example.org.sqlite`;

const VERIFY = `
Reads every entry, computes by what it can be looked up, and compares in both directions: what the index
lacks, and what it holds and should not. Exit 1 names the first entry that differs.`;

/** Defines `log index build` and `log index verify`. */
export function defineLogIndex(log: Command, frame: Frame): void {
  const index = log
    .command("index")
    .helpCommand(false)
    .description("the index by which digests are looked up");
  frame
    .verb(index, "build", "make the index from the log, or go on with it", async (context, given) =>
      (await import("../work/log-index.ts")).build(context, given),
    )
    .option(...PLACE)
    .option(...INDEX)
    .option(...VKEY)
    .addHelpText("after", BUILD);
  frame
    .verb(index, "verify", "prove that the index is complete", async (context, given) =>
      (await import("../work/log-index.ts")).verify(context, given),
    )
    .option(...PLACE)
    .option(...INDEX)
    .option(...VKEY)
    .addHelpText("after", VERIFY);
}
