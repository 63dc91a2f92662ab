/**
 * `bootproof lock RECIPE`: pins every input of a recipe, and of its components, by hash.
 * @module
 */
import type { Command } from "commander";

import { type Frame, collect } from "../frame/frame.ts";

const AFTER = `
Packages are resolved through the suite's signed Release; the lock lies beside the recipe and is meant
to be read in a diff. Mirrors are asked in this order: --mirror, BOOTPROOF_DEBIAN_MIRROR, this
machine's apt configuration.

Example: bootproof lock boot/recipes/snp-guest.recipe.yaml --check`;

/** Defines `lock`. */
export function defineLock(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "lock <recipe>", "pin every input of a recipe by hash", async (context, given) =>
      (await import("../work/lock.ts")).lock(context, given),
    )
    .option(
      "--check",
      "write nothing; fail when a lock is absent, or does not match its recipe or what lies beside it",
    )
    .option("--mirror <url>", "a mirror of the Debian archive (may be repeated)", collect)
    .option("--from <place>", "a folder or URL with vendored inputs (may be repeated)", collect)
    .addHelpText("after", AFTER);
}
