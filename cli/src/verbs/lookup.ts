/**
 * `bootproof lookup DIGEST`: who published this register, artifact or key in a log.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
DIGEST is a launch digest or other register, the sha256 or sha384 of an artifact, an action digest,
or a leaf hash: hex or base64, with or without a prefix such as sha384:. Or a key: as NAME+KEYID it lists
what claims to be signed by it, as a whole public key only what it did sign.

Without an index, or where it ends, the entries themselves are looked through: bootproof log index build
makes one. Whatever it finds is read from the log and checked.

What is found is what was logged; whether its signer is one you accept, verify says:
  bootproof log proof INDEX --out x.tlog-proof && bootproof verify x.tlog-proof --policy P

Example: bootproof lookup sha256:5891b5b522d5df08... --log out/log`;

/** Defines `lookup`. */
export function defineLookup(parent: Command, frame: Frame): void {
  frame
    .verb(
      parent,
      "lookup <digest>",
      "who published this register, artifact, action, or with this key",
      async (context, given) => (await import("../work/lookup.ts")).lookup(context, given),
    )
    .option("--log <dir>", "the log's folder or URL", "out/log")
    .option("--index <file>", "an index of the log (default: lookup.sqlite in DIR.private, when it is there)")
    .option("--vkey <key>", "the log's public key, or a file with it (default: the one beside the log)")
    .addHelpText("after", AFTER);
}
