/**
 * `bootproof init FILE`: a small recipe that builds, to start from; or one made from what other tools build from.
 * @module
 */
import type { Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
--from takes an enclaver.yaml, or a folder with nitro-cli's blobs (bzImage, cmdline, init, nsm.ko). The image that
goes into the enclave is read from a file: an OCI layout or what docker save writes, beside the recipe. What the
recipe leaves out, such as enclaver's proxies, is told as warnings, each with a page: bootproof explain CODE.

Example: bootproof init my-initrd.recipe.yaml
Example: bootproof init my-app --from enclaver.yaml --image my-app.tar`;

/** Defines `init`. */
export function defineInit(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "init <name>", "write a small recipe that builds, to start from", async (context, given) =>
      (await import("../work/init.ts")).init(context, given),
    )
    .option("--from <place>", "an enclaver.yaml, or a folder with nitro-cli's blobs")
    .option("--image <file>", "with --from: the application's image, beside the recipe")
    .addHelpText("after", AFTER);
}
