/**
 * `bootproof lock RECIPE`: pins every input of a recipe, and of its components, by hash.
 * @module
 */
import { readFile } from "node:fs/promises";
import { relative } from "node:path";

import type { Lock, NewLock } from "@bootproof/builder";
import type { Command } from "commander";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { collect, type Frame } from "../frame/frame.ts";
import type { Given } from "../frame/given.ts";
import { formatTable } from "../report/table.ts";

const AFTER = `
Packages are resolved through the suite's signed Release; the lock lies beside the recipe and is meant
to be read in a diff. Mirrors are asked in this order: --mirror, BOOTPROOF_DEBIAN_MIRROR, this
machine's apt configuration.

Example: bootproof lock boot/recipes/snp-guest.recipe.yaml --check`;

/** Defines `lock`. */
export function defineLock(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "lock <recipe>", "pin every input of a recipe by hash", lock)
    .option("--check", "write nothing; fail when a lock is absent or does not match its recipe")
    .option("--mirror <url>", "a mirror of the Debian archive (may be repeated)", collect)
    .option("--from <place>", "a folder or URL with vendored inputs (may be repeated)", collect)
    .addHelpText("after", AFTER);
}

async function lock(context: Context, given: Given): Promise<ExitCode> {
  const recipe = given.argument(0);
  if (given.flag("check")) return check(context, recipe);
  const { lockRecipe, writeLock, formatLock } = await import("@bootproof/builder");
  const { storePath } = await import("../places/store-place.ts");
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
  const { loadLockedRecipe } = await import("@bootproof/builder");
  const locked = await loadLockedRecipe(recipe);
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
  return lock.form === "composing"
    ? `${String(lock.components.length)} components`
    : `${String(lock.packages.length)} packages, ${String(lock.sources.length)} source files`;
}

function countsOf({ lock }: NewLock): object {
  return lock.form === "composing"
    ? { components: lock.components.length }
    : { packages: lock.packages.length, sources: lock.sources.length };
}
