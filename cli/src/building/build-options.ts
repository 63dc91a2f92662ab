/**
 * The builder's options from the command line's.
 * @module
 */
import type { BuildOptions } from "@bootproof/builder";
import type { Command } from "commander";

import type { Context } from "../frame/context.ts";
import { collect } from "../frame/frame.ts";
import type { Given } from "../frame/given.ts";
import type { OpenStore } from "../places/store-place.ts";
import type { EventSteps } from "./event-steps.ts";

/** Adds the options of every verb that builds. */
export function addBuildOptions(command: Command): Command {
  return command
    .option("--mirror <url>", "a mirror of the Debian archive (may be repeated)", collect)
    .option(
      "--snapshot <url>",
      "an archive of Debian's old states, asked last (also: BOOTPROOF_DEBIAN_SNAPSHOT)",
    )
    .option("--from <place>", "a folder or URL with inputs and materials by hash (may be repeated)", collect)
    .option("--jobs <n>", "components built at once (default: one per processor)");
}

/** Reads them. */
export function readBuildOptions(
  context: Context,
  given: Given,
  store: OpenStore,
  steps: EventSteps,
): BuildOptions {
  const jobs = given.unsigned("jobs", 1024n);
  return {
    store,
    inputs: {
      mirrors: given.list("mirror"),
      from: given.list("from"),
      snapshot: given.text("snapshot") ?? context.env["BOOTPROOF_DEBIAN_SNAPSHOT"],
      env: context.env,
      offline: context.options.offline,
    },
    ...(jobs === undefined ? {} : { jobs: Number(jobs) }),
    noCache: given.refused("cache"),
    signal: context.signal,
    onEvent: (event) => steps.take(event),
  };
}
