/**
 * `bootproof log init`: starts a log, here or on stores that several machines share.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
The folder holds only what everyone may read, ready for any web server; the log's key and state
lie beside it in DIR.private. What is elsewhere is remembered there too, in place.json, so that
every other command needs only --log DIR; other machines that serve the log get a copy of DIR.private.

KEY: see bootproof key show --help. Secrets never belong in a URL: PGPASSWORD, PGPASSFILE, AWS_ACCESS_KEY_ID
and AWS_SECRET_ACCESS_KEY are read from the environment.

Examples: bootproof log init --log DIR --origin example.org/boot
          bootproof log init --log DIR --key env:BOOTPROOF_LOG_KEY --private-store postgres://log@db.example.org/logs`;

/** Defines `log init`. */
export function defineLogInit(log: Command, frame: Frame): void {
  frame
    .verb(log, "init", "start an empty log with a new key", async (context, given) =>
      (await import("../work/log-init.ts")).init(context, given),
    )
    .option("--log <dir>", "the log's folder", "out/log")
    .option("--origin <name>", "its name, such as example.org/boot (default: made from its key)")
    .option("--key <key>", "file:PATH, env:NAME, agent:SHA256:... or command:FILE (default: a new file)")
    .option("--objects <url>", "what everyone may read: s3://BUCKET/PREFIX (default: the folder)")
    .option("--private-store <url>", "head and stages: postgres://USER@HOST/DATABASE or s3://BUCKET/PREFIX")
    .option(
      "--policy <file>",
      "a tlog-policy file: from now on only checkpoints that its quorum of witnesses cosigned are published",
    )
    .option("--continues <log>", "the frozen log, a folder or URL, that this one goes on from")
    .option("--continues-key <key>", "its public key, or a file with it (default: the one beside it)")
    .option("--signed-by <key>", "who says that it goes on (default: your own signing key)")
    .addHelpText("after", AFTER);
}
