/**
 * `bootproof doctor`: what this machine lacks, why it matters, and the command that mends it.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

/** Defines `doctor`. */
export function defineDoctor(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "doctor", "check whether this machine can build, and say what fixes it", async (context) =>
      (await import("../work/doctor.ts")).doctor(context),
    )
    .addHelpText(
      "after",
      "\nExit 1 when a check fails; a warning does not. --offline leaves the mirror untried.",
    );
}
