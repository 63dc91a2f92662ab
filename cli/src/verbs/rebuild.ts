/**
 * `bootproof rebuild BUNDLE`: builds a logged release again and signs what came out, also when it differs.
 * @module
 */
import type { Command } from "commander";

import { addBuildOptions } from "../building/build-options.ts";
import type { Frame } from "../frame/frame.ts";

const AFTER = `
The bundle is checked against --policy, or else against the policy that lies beside it. Recipe and lock
are found by hash: in the store, in --from, in materials/ beside the bundle, among the recipes below the
current folder. What was built before is never reused.

Verdicts: IDENTICAL and MEASUREMENT-EQUAL (exit 0), DIVERGED (1), BUILD-FAILED and INPUTS-MISSING (2).
Each is signed and written to confirmations/ in --out (default: out); --submit logs it too.

Example: bootproof rebuild snp-guest-1.tlog-proof --from https://example.org/materials --submit`;

/** Defines `rebuild`. */
export function defineRebuild(parent: Command, frame: Frame): void {
  const command = frame
    .verb(
      parent,
      "rebuild <bundles...>",
      "build a logged release again and sign what came out",
      async (context, given) => (await import("../work/rebuild.ts")).rebuildAll(context, given),
    )
    .option("--policy <file>", "whose releases to rebuild (default: the policy beside the bundle)")
    .option("--key <key>", "the signing key: a file, or as key show (default: your own, made on first use)")
    .option("--organisation <name>", "the organisation you rebuild for (default: your key's name)")
    .option("--submit", "log the confirmation, whatever it says")
    .option("--log <dir>", "the log to submit to: its folder, or its URL (default: log in --out)")
    .option(
      "--vkey <key>",
      "the public key of a log at a URL, or a file with it (default: the one beside the log)",
    );
  addBuildOptions(command).addHelpText("after", AFTER);
}
