/**
 * `bootproof verify`: a bundle, and files that should be its artifacts, against a policy; offline.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
Bundles are told by their content; rebuilds among them count as confirmations, other files must be
artifacts of the release. One line and one reason for each check; exit 0 yes, 1 no, 2 could not decide.

Example: bootproof verify out/snp-guest-1.tlog-proof out/artifacts/OVMF.fd --policy out/snp-guest-1.policy.yaml`;

/** Defines `verify`. */
export function defineVerify(parent: Command, frame: Frame): void {
  frame
    .verb(
      parent,
      "verify <files...>",
      "check bundles and artifacts against a policy, offline",
      async (context, given) => (await import("../work/verify.ts")).verify(context, given),
    )
    .requiredOption("--policy <file>", "whose word counts (*.policy.yaml)")
    .addHelpText("after", AFTER);
}
