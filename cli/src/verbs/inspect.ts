/**
 * `bootproof inspect FILE`: decodes a file of any kind we know, always as hostile input.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const KINDS =
  "OVMF firmware, Linux kernel (bzImage), initrd (cpio), tlog-proof bundle, checkpoint, DSSE envelope, recipe, lock, public or private key";

/** Defines `inspect`. */
export function defineInspect(parent: Command, frame: Frame): void {
  frame
    .verb(
      parent,
      "inspect <file>",
      "say what a file is and what is in it; verifies nothing",
      async (context, given) => (await import("../work/inspect.ts")).inspect(context, given),
    )
    .addHelpText("after", `\nKnown kinds: ${KINDS}.\nExample: bootproof inspect out/snp-guest-1.tlog-proof`);
}
