/**
 * `bootproof log key`: which keys sign for a log, and how one takes the place of another.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const PLACE = ["--log <dir>", "the log's folder", "out/log"] as const;

const ADD = `
From now on every checkpoint carries the signatures of all keys, and log.vkey lists them all. Give
those who verify the new key, and retire the old one once they have it. Without KEY and --generate it
goes on with an addition that was interrupted.

KEY: see bootproof key show --help. Example: bootproof log key add --generate --log DIR`;

const RETIRE = `
The keys that remain must have signed the log's head and its public checkpoint; the last Ed25519 key
stays. A file of the key beside the log's state is removed. Proofs from before stay good for those who
know the old key.`;

/** Defines `log key add`, `list` and `retire`. */
export function defineLogKey(log: Command, frame: Frame): void {
  const key = log.command("key").helpCommand(false).description("change the keys that sign for a log");
  frame
    .verb(key, "add [key]", "have one more key sign for the log", async (context, given) =>
      (await import("../work/log-key.ts")).add(context, given),
    )
    .option(...PLACE)
    .option("--generate", "make the key, in a file beside the log's state")
    .option("--ml-dsa", "make an ML-DSA-44 key, which stays good when quantum computers come")
    .addHelpText("after", ADD);
  frame
    .verb(key, "list", "list the keys, and what each has signed", async (context, given) =>
      (await import("../work/log-key.ts")).list(context, given),
    )
    .option(...PLACE);
  frame
    .verb(key, "retire <keyid>", "have a key sign no more", async (context, given) =>
      (await import("../work/log-key.ts")).retire(context, given),
    )
    .option(...PLACE)
    .addHelpText("after", RETIRE);
}
