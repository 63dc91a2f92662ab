/**
 * `bootproof log`: starts a log, adds entries, and reads back what it can prove.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";
import { defineLogIndex } from "./log-index.ts";
import { defineLogFreeze } from "./log-freeze.ts";
import { defineLogInit } from "./log-init.ts";
import { defineLogKey } from "./log-key.ts";
import { defineLogMirror } from "./log-mirror.ts";
import { defineLogServe } from "./log-serve.ts";

const PLACE = ["--log <dir>", "the log's folder, or its URL for reading", "out/log"] as const;
const VKEY = [
  "--vkey <key>",
  "the log's public key, or a file with it (default: the one beside the log)",
] as const;
const POLICY = [
  "--policy <file>",
  "a tlog-policy file: from now on only checkpoints that its quorum of witnesses cosigned are published",
] as const;
const STATE = `
With --state the next audit goes on where this one stopped, after being killed too, and says no when
the log has shrunk, or no longer begins with the tree that was seen before.`;

const KEEP = `
The first run only notes how large the log is; what was full then is collected by the runs after --keep.
Run it every hour, also while the log is written to: readers of older checkpoints take the full tile.`;

/** Defines `log init`, `add`, `checkpoint`, `proof`, `audit` and `gc`. */
export function defineLog(parent: Command, frame: Frame): void {
  const log = parent
    .command("log")
    .helpCommand(false)
    .description("run and read a transparency log (C2SP tlog-tiles)");
  defineLogInit(log, frame);
  defineLogKey(log, frame);
  defineLogFreeze(log, frame);
  frame
    .verb(log, "add <files...>", "append files as entries; prints where each is", async (context, given) =>
      (await import("../work/log.ts")).add(context, given),
    )
    .option("--log <dir>", "the log's folder, or the URL of one that takes your entries", "out/log")
    .option(...POLICY)
    .option(...VKEY)
    .addHelpText(
      "after",
      "\nAn entry that is there already is not added again. Example: bootproof log add envelope.json",
    );
  frame
    .verb(log, "checkpoint", "print the signed checkpoint after checking it", async (context, given) =>
      (await import("../work/log.ts")).checkpoint(context, given),
    )
    .option(...PLACE)
    .option(...VKEY);
  frame
    .verb(
      log,
      "proof <index>",
      "print the offline proof of an entry (a .tlog-proof)",
      async (context, given) => (await import("../work/log.ts")).proof(context, given),
    )
    .option(...PLACE)
    .option(...VKEY);
  frame
    .verb(
      log,
      "audit",
      "hash every file of the log again; exit 1 and name the file when one is wrong",
      async (context, given) => (await import("../work/log-audit.ts")).audit(context, given),
    )
    .option(...PLACE)
    .option(...VKEY)
    .option("--state <file>", "remember the checkpoint there, and read next time only what is new")
    .option("--continues <log>", "the log that this one continues must end where this one says")
    .addHelpText("after", STATE);
  frame
    .verb(log, "gc", "remove partial tiles that full ones have replaced", async (context, given) =>
      (await import("../work/log-gc.ts")).gc(context, given),
    )
    .option(...PLACE)
    .option("--keep <minutes>", "how long the partial tiles of a checkpoint stay", "60")
    .option(...VKEY)
    .addHelpText("after", KEEP);
  defineLogIndex(log, frame);
  defineLogMirror(log, frame);
  defineLogServe(log, frame);
}
