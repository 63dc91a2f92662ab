/**
 * `bootproof log serve`: a log over HTTP.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const ABOUT = `
Everyone reads /checkpoint, /tile/..., /log.vkey and /v1/lookup/DIGEST. Publishers send envelopes to
POST /v1/entries and are answered with a .tlog-proof once a public checkpoint covers them; with ?wait=0
they are told where to ask. /healthz, /readyz and /metrics are for whoever runs it: keep them from others.

It is the log's one writer while it runs; on PostgreSQL several serve one log, and one of them writes.
SIGTERM or SIGINT lets it publish what it has taken before it ends. A line of JSON on stderr tells of each
request; not with --quiet. Put a web server with TLS before it to serve the world.

Example:
  bootproof log init --origin log.example.org
  bootproof log serve --publishers publishers.yaml
  curl --data-binary @envelope.json http://127.0.0.1:8080/v1/entries`;

/** Defines `log serve`. */
export function defineLogServe(log: Command, frame: Frame): void {
  frame
    .verb(log, "serve", "serve a log over HTTP until it is interrupted", async (context, given) =>
      (await import("../work/log-serve.ts")).serve(context, given),
    )
    .option("--log <dir>", "the log's folder", "out/log")
    .option("--host <address>", "where to listen", "127.0.0.1")
    .option("--port <number>", "0 takes a free one", "8080")
    .option(
      "--publishers <file>",
      "who may publish what (default: DIR.private/publishers.yaml if it is there)",
    )
    .option("--wait <seconds>", "how long a submission waits for its proof", "30")
    .option("--batch-age <ms>", "how long the first entry of a batch waits for others", "0")
    .option(
      "--max-pending <entries>",
      "entries that may wait at once; more are sent away for a while",
      "4096",
    )
    .option("--hammer", "for load tests only: let anyone add anything at POST /add, and keep no lookup index")
    .addHelpText("after", ABOUT);
}
