/**
 * `bootproof profiles`: every way in which VMMs set up SEV guests that we know, dated, with the evidence.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

/** Defines `profiles`. */
export function defineProfiles(parent: Command, frame: Frame): void {
  frame
    .verb(
      parent,
      "profiles [name]",
      "list the ways in which VMMs set up guests: dates, differences, evidence",
      async (context, given) => (await import("../work/profiles.ts")).profiles(context, given),
    )
    .addHelpText("after", "\nExample: bootproof profiles ec2-rdx0");
}
