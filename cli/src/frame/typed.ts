/**
 * Commands as the user can type them here: a clone's `bootproof` is not on PATH, and paths have spaces.
 * @module
 */
import { realpathSync } from "node:fs";
import { delimiter, join, relative, resolve } from "node:path";

import { oneLine } from "../report/printable.ts";
import type { Surroundings } from "./context.ts";

/** The launcher says in it how it was called. */
const VARIABLE = "BOOTPROOF_COMMAND";
const NAME = "bootproof";
// npm puts these before PATH for what it runs; the user's own shell does not have them.
const NOT_THE_USERS = /(^|\/)node_modules\/\.bin\/?$/;
// In running text only a verb, an option or a placeholder for a verb makes a command out of our name.
const VERBS =
  "init|lock|build|measure|profiles|coverage|id-block|guest-policy|eif|launch-measure|export|kms|release|rebuild|verify|inspect|lookup|log|witness|watch|store|key|doctor|explain|completion|version|VERB|--help";
const COMMAND = new RegExp(`(?<![\\w./-])${NAME} (?=(?:${VERBS})(?![\\w]))`, "g");

/** What to type for `bootproof`: its name where PATH has it, else its path from here. */
export function commandName({ env, cwd }: Pick<Surroundings, "env" | "cwd">): string {
  const called = env[VARIABLE];
  if (called === undefined || called === "") return NAME;
  const file = resolve(cwd, called);
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => !NOT_THE_USERS.test(folder));
  const first = folders.map((folder) => realPath(join(folder, NAME))).find((found) => found !== undefined);
  if (first !== undefined && first === realPath(file)) return NAME;
  const shown = shownPath(cwd, file);
  return shellWord(shown.includes("/") ? shown : `./${shown}`);
}

/** The commands in a text that says what to do next, as one types them here. */
export function typedHere(text: string, command: string): string {
  return text.replace(COMMAND, () => `${command} `);
}

/** A path as one would type it in `cwd`. */
export function shownPath(cwd: string, path: string): string {
  const short = relative(cwd, path);
  return short === "" || short.startsWith("..") ? path : short;
}

/** A word as a shell takes it. */
export function shellWord(word: string): string {
  const plain = /^[\w./+-]+$/.test(word);
  return plain ? word : `'${oneLine(word, 4096).replaceAll("'", `'\\''`)}'`;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
