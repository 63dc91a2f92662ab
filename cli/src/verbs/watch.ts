/**
 * `bootproof watch`: follows logs and says when something in them needs somebody's eyes.
 * @module
 */
import type { Command } from "commander";

import { collect, type Frame } from "../frame/frame.ts";

const AFTER = `
Says: statements about your names by any key, statements that contradict each other, one measurement
claimed by two releases, rebuilds that came out otherwise, releases without confirmations in time,
revoked keys, and logs that are stale, shrink, fork, or show their witnesses something else.

With --once exit status 0 means nothing new, 1 alerts were raised, 2 could not decide: a log cannot be
read, or its checkpoint is stale. With --json each alert is one line. Killed at any moment, it says an
alert again rather than not at all; both times with the same id.

Example: bootproof watch --log https://log.example.org --vkey KEY --name 'acme-*' --policy acme.policy.yaml`;

/** Defines `watch`. */
export function defineWatch(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "watch", "follow logs and raise alerts about your names", async (context, given) =>
      (await import("../work/watch.ts")).watch(context, given),
    )
    .option("--config <file>", "what to watch and whom to tell (watch.yaml)")
    .option("--log <dir>", "or: the log's folder or URL")
    .option("--vkey <key>", "the log's public key, or a file with it")
    .option("--name <pattern>", "a name of yours, a final * allowed; any: all (may be repeated)", collect)
    .option("--policy <file>", "the verifier's policy: who publishes and who rebuilds")
    .option("--witnesses <file>", "a tlog-policy file: whose cosignatures the log's checkpoints need")
    .option(
      "--state <dir>",
      "where to remember what was seen (default: beside the configuration, or watch.state)",
    )
    .option("--once", "look once and stop, for cron")
    .option("--test-sinks", "send a test alert to everyone who would hear of one")
    .addHelpText("after", AFTER);
}
