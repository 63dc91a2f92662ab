/**
 * `bootproof build RECIPE`: builds a locked recipe in the sandbox; with `--twice`, again with everything varied.
 * @module
 */
import type { Command } from "commander";

import { addBuildOptions } from "../building/build-options.ts";
import type { Frame } from "../frame/frame.ts";

const AFTER = `
Steps see the toolchain, /source and /build, a clock that stands still, and no network. What was
built before is taken from the store. --twice builds again with path, user, host name, umask,
locale, time zone, time, processors and directory order varied, and shows the first difference.

Example: bootproof build ovmf/recipes/ovmf-amdsev.recipe.yaml --twice --out artifacts`;

/** Defines `build`. */
export function defineBuild(parent: Command, frame: Frame): void {
  const command = frame
    .verb(
      parent,
      "build <recipe>",
      "build a locked recipe in a sandbox without network",
      async (context, given) => (await import("../work/build.ts")).build(context, given),
    )
    .option("--twice", "build again with everything varied, and compare")
    .option("--no-cache", "build even what was built before");
  addBuildOptions(command).addHelpText("after", AFTER);
}
