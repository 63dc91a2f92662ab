/**
 * Pins every input of a recipe and of its components by hash, or checks that this was done.
 * @module
 */
import { readFile } from "node:fs/promises";
import { relative } from "node:path";

import {
  type Lock,
  type NewLock,
  checkBeside,
  formatLock,
  loadLockedRecipe,
  lockRecipe,
  writeLock,
} from "@bootproof/builder";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { storePath } from "../places/store-place.ts";
import { formatTable } from "../report/table.ts";

/** Locks a recipe and its components, or with `--check` says whether their locks match. */
export async function lock(context: Context, given: Given): Promise<ExitCode> {
  const recipe = given.argument(0);
  if (given.flag("check")) return check(context, recipe);
  const locks = await context.progress.during(`lock ${recipe}`, (step) =>
    lockRecipe(recipe, {
      store: storePath(context),
      env: context.env,
      mirrors: given.list("mirror"),
      from: given.list("from"),
      offline: context.options.offline,
      signal: context.signal,
      onProgress: (what) => step.update(what),
    }),
  );
  const rows: string[][] = [];
  const documents: object[] = [];
  for (const made of locks) {
    const text = formatLock(made.lock);
    const before = await readFile(made.path, "utf8").catch(() => undefined);
    if (before !== text) await writeLock(made.path, made.lock);
    for (const warning of made.warnings) context.note(`warning: ${warning}`);
    const change = describeChange(before, text);
    rows.push([change, relative(context.cwd, made.path), describeLock(made.lock)]);
    documents.push({
      recipe: made.recipe,
      lock: made.path,
      sha256: made.sha256,
      change,
      ...countsOf(made),
      warnings: made.warnings,
    });
  }
  context.say(formatTable(rows), { schema: "bootproof/lock/1", locks: documents });
  return EXIT.yes;
}

async function check(context: Context, recipe: string): Promise<ExitCode> {
  const locked = await loadLockedRecipe(recipe);
  await checkBeside(locked, context.signal);
  const file = relative(context.cwd, locked.lock.path);
  const document = {
    schema: "bootproof/lock-check/1",
    answer: "yes",
    lock: locked.lock.path,
    sha256: locked.lock.sha256,
  };
  context.say(`${file} matches its recipe\n`, document);
  return EXIT.yes;
}

function describeChange(before: string | undefined, after: string): string {
  if (before === undefined) return "written";
  if (before === after) return "unchanged";
  const [old, now] = [new Set(before.split("\n")), new Set(after.split("\n"))];
  const added = [...now].filter((line) => !old.has(line)).length;
  const removed = [...old].filter((line) => !now.has(line)).length;
  return `changed (+${String(added)} -${String(removed)} lines)`;
}

function describeLock(lock: Lock): string {
  if (lock.form === "composing") {
    const parts = lock.sources.length === 0 ? "" : `, ${String(lock.sources.length)} parts`;
    return `${String(lock.components.length)} components${parts}`;
  }
  return `${String(lock.packages.length)} packages, ${String(lock.sources.length)} source files`;
}

function countsOf({ lock }: NewLock): object {
  return lock.form === "composing"
    ? { components: lock.components.length, sources: lock.sources.length }
    : { packages: lock.packages.length, sources: lock.sources.length };
}
