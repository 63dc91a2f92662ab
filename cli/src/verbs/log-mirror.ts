/**
 * `bootproof log mirror`: a verified copy of a log, ready for any web server.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
Every file is verified before it is written, and the checkpoint last: the folder always is a log that holds
everything of the checkpoint it shows, wherever this is killed. Run it again, or with --follow, to go on.
A log that shrank or forked is not followed; the evidence is kept.

With --key, a key made by witness init (with a name of its own), the copy's checkpoint carries the mirror's cosignature,
which says that this mirror holds and serves everything below its size: the policies of others can count it.

Example: bootproof log mirror https://log.example.org --vkey log.vkey --to mirror --follow`;

/** Defines `log mirror`. */
export function defineLogMirror(log: Command, frame: Frame): void {
  frame
    .verb(log, "mirror <place>", "copy a log from its URL or folder, verified", async (context, given) =>
      (await import("../work/log-mirror.ts")).mirror(context, given),
    )
    .requiredOption("--to <dir>", "the folder of the copy")
    .option(
      "--vkey <key>",
      "the log's public key, or a file with it (default: the copy's, else the one beside the log)",
    )
    .option("--by-origin", "copy to DIR/<sha256 of the log's name>, where C2SP tlog-mirror has it")
    .option("--key <file>", "cosign the copy's checkpoint with this key")
    .option("--jobs <n>", "bundles fetched at once", "8")
    .option("--follow", "go on until interrupted")
    .option("--interval <seconds>", "how long to wait between two looks with --follow", "10")
    .addHelpText("after", AFTER);
}
