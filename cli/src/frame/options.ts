/**
 * The options that every verb has, and how the ones before and after the verb come together.
 * @module
 */
import { Option, type Command } from "commander";

/** The options of every verb. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly out: string | undefined;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly offline: boolean;
  /** `undefined`: colour where a terminal shows it. */
  readonly color: boolean | undefined;
  readonly input: boolean;
  readonly store: string | undefined;
}

const GROUP = "Options of every verb:";

const DEFINITIONS: readonly (readonly [string, string])[] = [
  ["--json", "print one JSON document on stdout"],
  ["--out <path>", "write the answer to this file, or the results to this folder"],
  ["--quiet", "no progress on stderr"],
  ["--verbose", "more on stderr, and stacks with errors"],
  ["--offline", "open no socket"],
  ["--color", "colour even where no terminal is seen"],
  ["--no-color", "no colour (also: NO_COLOR in the environment)"],
  ["--no-input", "never ask; fail instead"],
  ["--store <dir>", "the content-addressed store (also: BOOTPROOF_STORE)"],
];

const VALUED = new Set(
  DEFINITIONS.map(([flags]) => flags.split(" ")).flatMap(([flag = "", value]) =>
    value === undefined ? [] : [flag],
  ),
);

/** Whether a word is an option of every verb whose value is the next word. */
export const takesValue = (word: string): boolean => VALUED.has(word);

/** Adds the options of every verb to a command. */
export function addGlobalOptions(command: Command): Command {
  for (const [flags, description] of DEFINITIONS)
    command.addOption(new Option(flags, description).helpGroup(GROUP));
  return command;
}

/** Reads the options of every verb from a command and those above it; the nearest to the verb wins. */
export function readGlobalOptions(command: Command): GlobalOptions {
  const value = (name: string): unknown => {
    for (let at: Command | null = command; at !== null; at = at.parent)
      if (at.getOptionValueSource(name) === "cli") return at.getOptionValue(name);
    return undefined;
  };
  const text = (name: string): string | undefined => {
    const given = value(name);
    return typeof given === "string" ? given : undefined;
  };
  const color = value("color");
  return {
    json: value("json") === true,
    out: text("out"),
    quiet: value("quiet") === true,
    verbose: value("verbose") === true,
    offline: value("offline") === true,
    color: typeof color === "boolean" ? color : undefined,
    input: value("input") !== false,
    store: text("store"),
  };
}
