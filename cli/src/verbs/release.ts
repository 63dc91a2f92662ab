/**
 * `bootproof release RECIPE`: builds, measures, signs, logs, and verifies the bundle that it leaves.
 * @module
 */
import type { Command } from "commander";

import { addBuildOptions } from "../building/build-options.ts";
import type { Frame } from "../frame/frame.ts";

const AFTER = `
Leaves in --out (default: out): artifacts/, the bundle NAME-VERSION.tlog-proof, a policy to verify it
with, and materials/ with what rebuilders need. The log in --log DIR is made on first use; so is the
signing key, in the user's configuration. Nothing is done twice: releasing the same build again finds
its entry in the log.

Example: bootproof release boot/recipes/snp-guest.recipe.yaml --out out`;

/** Defines `release`. */
export function defineRelease(parent: Command, frame: Frame): void {
  const command = frame
    .verb(
      parent,
      "release <recipe>",
      "build, measure, sign, log and verify a release",
      async (context, given) => (await import("../work/release.ts")).release(context, given),
    )
    .option("--key <key>", "the signing key: a file, or as key show (default: your own, made on first use)")
    .option(
      "--log <dir>",
      "the log's folder, or the URL of one that takes your releases (default: log in --out)",
    )
    .option(
      "--vkey <key>",
      "the public key of a log at a URL, or a file with it (default: the one beside the log)",
    )
    .option("--no-cache", "build even what was built before");
  addBuildOptions(command).addHelpText("after", AFTER);
}
