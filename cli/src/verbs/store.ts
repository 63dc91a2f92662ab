/**
 * `bootproof store`: looks after the content-addressed store.
 * @module
 */
import type { Command } from "commander";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Frame } from "../frame/frame.ts";
import type { Given } from "../frame/given.ts";
import { formatFields, formatSize, formatTable } from "../report/table.ts";

const DAY_MS = 86_400_000;
// A century is further back than any store.
const MAX_DAYS = 36_500n;

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
  frame.verb(store, "ls", "list the blobs and the names that refer to them", list);
  frame
    .verb(store, "verify", "hash every blob again; exit 1 when one does not match its name", verify)
    .addHelpText(
      "after",
      "\nNothing is changed. Delete a damaged file, and the next build fetches it again.",
    );
  frame
    .verb(store, "gc", "remove blobs that nothing refers to", collect)
    .option("--older-than <days>", "keep what was used in the last days", "1")
    .option("--all", "forget build results and toolchains too; the next build makes them anew")
    .addHelpText("after", "\nExample: bootproof store gc --older-than 30");
}

async function list(context: Context): Promise<ExitCode> {
  const { openStore } = await import("../places/store-place.ts");
  const store = await openStore(context);
  const blobs: { sha256: string; size: number }[] = [];
  for await (const { sha256, size } of store.blobs.list()) blobs.push({ sha256, size });
  const refs: { name: string; value: string }[] = [];
  for (const name of await store.refs.list()) refs.push({ name, value: (await store.refs.get(name)) ?? "" });
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const text =
    formatTable(blobs.map(({ sha256, size }) => [sha256, String(size)])) +
    formatTable(
      refs.map(({ name, value }) => [name, value.length > 72 ? `${value.slice(0, 69)}...` : value]),
    ) +
    `${String(blobs.length)} blobs, ${formatSize(total)}; ${String(refs.length)} names\n`;
  await context.answer(text, { schema: "bootproof/store-list/1", path: store.path, blobs, refs });
  return EXIT.yes;
}

async function verify(context: Context): Promise<ExitCode> {
  const { openStore } = await import("../places/store-place.ts");
  const store = await openStore(context);
  const { checked, corrupt } = await context.progress.during("hash every blob", (step) =>
    store.blobs.verify((_blob, count) => step.update(`${String(count)} blobs`)),
  );
  const text =
    corrupt.map((path) => `damaged  ${path}\n`).join("") +
    `${String(checked)} blobs checked, ${String(corrupt.length)} damaged\n`;
  await context.answer(text, { schema: "bootproof/store-verify/1", path: store.path, checked, corrupt });
  return corrupt.length === 0 ? EXIT.yes : EXIT.no;
}

async function collect(context: Context, given: Given): Promise<ExitCode> {
  const { collectGarbage } = await import("@bootproof/store");
  const { openStore, reachable } = await import("../places/store-place.ts");
  const days = given.unsigned("olderThan", MAX_DAYS) ?? 1n;
  const store = await openStore(context);
  if (given.flag("all")) for (const name of await store.refs.list()) await store.refs.delete(name);
  const keep = await reachable(store);
  const { removed, bytesFreed } = await collectGarbage(store.blobs, keep, {
    olderThanMs: Number(days) * DAY_MS,
  });
  const fields = [
    ["store", store.path],
    ["removed", `${String(removed)} blobs`],
    ["freed", formatSize(bytesFreed)],
  ] as const;
  await context.answer(formatFields(fields), {
    schema: "bootproof/store-gc/1",
    path: store.path,
    removed,
    bytesFreed,
  });
  return EXIT.yes;
}
