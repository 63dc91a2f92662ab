/**
 * `bootproof store`: looks after the content-addressed store.
 * @module
 */
import type { Command } from "commander";

import { EXIT } from "../frame/exit-code.ts";
import type { Frame } from "../frame/frame.ts";

/** Defines `store path`, `store ls`, `store verify` and `store gc`. */
export function defineStore(parent: Command, frame: Frame): void {
  const store = parent
    .command("store")
    .helpCommand(false)
    .description("look after the content-addressed store");
  frame.verb(store, "path", "print where the store lies", async (context) => {
    const { storePath } = await import("../places/store-place.ts");
    const path = storePath(context);
    await context.answer(`${path}\n`, { schema: "bootproof/store-path/1", path });
    return EXIT.yes;
  });
  frame.verb(store, "ls", "list the blobs and the names that refer to them", async (context) =>
    (await import("../work/store.ts")).list(context),
  );
  frame
    .verb(
      store,
      "verify",
      "hash every blob again; exit 1 when one does not match its name",
      async (context) => (await import("../work/store.ts")).verify(context),
    )
    .addHelpText(
      "after",
      "\nNothing is changed. Delete a damaged file, and the next build fetches it again.",
    );
  frame
    .verb(
      store,
      "gc",
      "remove what nothing refers to, unpacked toolchains and old logs",
      async (context, given) => (await import("../work/store.ts")).collect(context, given),
    )
    .option("--older-than <days>", "keep what was used in the last days (default: 1; with --all: 0)")
    .option("--all", "forget build results and toolchains too; the next build makes them anew")
    .addHelpText(
      "after",
      "\nBuild results and what they need to be recalled stay, and so does what a running build uses. Packages and" +
        "\nunpacked toolchains that were not used lately go; the next build that needs them brings them anew. Give --all" +
        "\nonly while nothing is built.\n\nExample: bootproof store gc --older-than 30",
    );
}
