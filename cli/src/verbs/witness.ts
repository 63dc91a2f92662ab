/**
 * `bootproof witness`: cosigns what logs show, so that they cannot show different things to different people.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const DIR = ["--dir <dir>", "the witness's folder: keys, known logs, what it cosigned", "witness"] as const;

/** Defines `witness init`, `add-log` and `serve`. */
export function defineWitness(parent: Command, frame: Frame): void {
  const witness = parent
    .command("witness")
    .helpCommand(false)
    .description("run a witness that cosigns logs (C2SP tlog-witness)");
  frame
    .verb(witness, "init", "make a witness with a new key; prints its public keys", async (context, given) =>
      (await import("../work/witness.ts")).init(context, given),
    )
    .option(...DIR)
    .option("--name <name>", "its name, such as witness.example.org (default: made from its key)")
    .option("--key <key>", "file:PATH, env:NAME, agent:SHA256:... or command:FILE (default: a new file)")
    .option("--ml-dsa", "with a second key, ML-DSA-44, that stays good when quantum computers come");
  frame
    .verb(
      witness,
      "add-log <vkey>",
      "know a log by its public key, or a file with it",
      async (context, given) => (await import("../work/witness.ts")).addLog(context, given),
    )
    .option(...DIR)
    .option("--origin <origin>", "first line of its checkpoints (default: the key's name)")
    .addHelpText(
      "after",
      "\nThe list is DIR/logs, in the form logs/v0; a running witness reads it when it changes.",
    );
  frame
    .verb(
      witness,
      "serve",
      "answer add-checkpoint requests until it is interrupted",
      async (context, given) => (await import("../work/witness.ts")).serve(context, given),
    )
    .option(...DIR)
    .option("--listen <host:port>", "where to listen; port 0 takes a free one", "127.0.0.1:7380")
    .addHelpText(
      "after",
      `
Never restore DIR/state from a backup: a witness that forgets can cosign a second tree. Give a new
witness a new key instead. Put a web server with TLS before it to serve the world.

Example: bootproof witness init --name witness.example.org && bootproof witness serve`,
    );
}
