/**
 * `bootproof version`: which bootproof, on which Node.
 * @module
 */
import type { Command } from "commander";

import { EXIT } from "../frame/exit-code.ts";
import type { Frame } from "../frame/frame.ts";
import { VERSION } from "../frame/version.ts";

/** Defines `version`. */
export function defineVersion(parent: Command, frame: Frame): void {
  frame.verb(parent, "version", "print the version", async (context) => {
    const node = process.versions.node;
    await context.answer(`bootproof ${VERSION} (Node ${node}, ${process.platform} ${process.arch})\n`, {
      schema: "bootproof/version/1",
      version: VERSION,
      node,
      platform: process.platform,
      arch: process.arch,
    });
    return EXIT.yes;
  });
}
