/**
 * `bootproof log serve`: a log over HTTP.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const ABOUT = `
Serves the checkpoint, the tiles and the log's key to everyone, /healthz and /readyz to whoever watches
it, and /metrics in the form that Prometheus reads. It is the log's one writer while it runs; SIGTERM or
SIGINT lets it publish what it has taken before it ends. A line of JSON on stderr tells of each request;
not with --quiet. Put a web server with TLS before it to serve the world.

Example: bootproof log init && bootproof log serve --port 7381`;

/** Defines `log serve`. */
export function defineLogServe(log: Command, frame: Frame): void {
  frame
    .verb(log, "serve", "serve a log over HTTP until it is interrupted", async (context, given) =>
      (await import("../work/log-serve.ts")).serve(context, given),
    )
    .option("--log <dir>", "the log's folder", "out/log")
    .option("--host <address>", "where to listen", "127.0.0.1")
    .option("--port <number>", "0 takes a free one", "8080")
    .option("--hammer", "let anyone add any entry at POST /add: for load tests only")
    .option("--batch-age <ms>", "how long the first entry of a batch waits for others", "0")
    .option(
      "--max-pending <entries>",
      "entries that may wait at once; more are sent away for a while",
      "4096",
    )
    .option("--wait <seconds>", "how long a submission waits for its proof", "30")
    .addHelpText("after", ABOUT);
}
