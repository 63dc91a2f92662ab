/**
 * Lists, verifies and collects the store.
 * @module
 */
import { collectLeftovers } from "@bootproof/builder";
import { collectGarbage } from "@bootproof/store";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { openStore, reachable } from "../places/store-place.ts";
import { formatFields, formatSize, formatTable } from "../report/table.ts";

const DAY_MS = 86_400_000;
// A century is further back than any store.
const MAX_DAYS = 36_500n;

/** Lists blobs and names. */
export async function list(context: Context): Promise<ExitCode> {
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

/** Hashes every blob again. */
export async function verify(context: Context): Promise<ExitCode> {
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

/** Removes what nothing refers to or what can be made again, unless it was used lately. */
export async function collect(context: Context, given: Given): Promise<ExitCode> {
  const all = given.flag("all");
  // Whoever throws everything away means what was made today, too.
  const days = given.unsigned("olderThan", MAX_DAYS) ?? (all ? 0n : 1n);
  const age = { olderThanMs: Number(days) * DAY_MS };
  const store = await openStore(context);
  if (all) for (const name of await store.refs.list()) await store.refs.delete(name);
  const keep = await reachable(store);
  const blobs = await collectGarbage(store.blobs, keep, age);
  const { roots, logs, bytesFreed: leftovers } = await collectLeftovers(store, age);
  const bytesFreed = blobs.bytesFreed + leftovers;
  const fields = [
    ["store", store.path],
    [
      "removed",
      `${counted(blobs.removed, "blob")}, ${counted(roots, "toolchain root")}, ${counted(logs, "log")}`,
    ],
    ["freed", formatSize(bytesFreed)],
  ] as const;
  await context.answer(formatFields(fields), {
    schema: "bootproof/store-gc/1",
    path: store.path,
    removed: blobs.removed,
    roots,
    logs,
    bytesFreed,
  });
  return EXIT.yes;
}

function counted(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? "" : "s"}`;
}
