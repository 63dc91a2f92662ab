/**
 * The program: every verb by name. A verb's definition loads when the verb is typed, its packages when it runs.
 * @module
 */
import { Command } from "commander";

import type { Frame } from "./frame/frame.ts";
import { addGlobalOptions, takesValue } from "./frame/options.ts";
import { VERSION } from "./frame/version.ts";

/** Adds a verb to the program. */
type Define = (program: Command, frame: Frame) => void;

/** How each verb's definition is loaded; help lists them in this order. */
const VERBS: Readonly<Record<string, () => Promise<Define>>> = {
  init: async () => (await import("./verbs/init.ts")).defineInit,
  lock: async () => (await import("./verbs/lock.ts")).defineLock,
  build: async () => (await import("./verbs/build.ts")).defineBuild,
  measure: async () => (await import("./verbs/measure.ts")).defineMeasure,
  profiles: async () => (await import("./verbs/profiles.ts")).defineProfiles,
  "id-block": async () => (await import("./verbs/id-block.ts")).defineIdBlock,
  "guest-policy": async () => (await import("./verbs/guest-policy.ts")).defineGuestPolicy,
  eif: async () => (await import("./verbs/eif.ts")).defineEif,
  "launch-measure": async () => (await import("./verbs/launch-measure.ts")).defineLaunchMeasure,
  export: async () => (await import("./verbs/export.ts")).defineExport,
  kms: async () => (await import("./verbs/kms.ts")).defineKms,
  release: async () => (await import("./verbs/release.ts")).defineRelease,
  rebuild: async () => (await import("./verbs/rebuild.ts")).defineRebuild,
  verify: async () => (await import("./verbs/verify.ts")).defineVerify,
  inspect: async () => (await import("./verbs/inspect.ts")).defineInspect,
  lookup: async () => (await import("./verbs/lookup.ts")).defineLookup,
  log: async () => (await import("./verbs/log.ts")).defineLog,
  witness: async () => (await import("./verbs/witness.ts")).defineWitness,
  watch: async () => (await import("./verbs/watch.ts")).defineWatch,
  store: async () => (await import("./verbs/store.ts")).defineStore,
  key: async () => (await import("./verbs/key.ts")).defineKey,
  doctor: async () => (await import("./verbs/doctor.ts")).defineDoctor,
  explain: async () => (await import("./verbs/explain.ts")).defineExplain,
  coverage: async () => (await import("./verbs/coverage.ts")).defineCoverage,
  completion: async () => {
    const { defineCompletion } = await import("./verbs/completion.ts");
    return (program, frame) => defineCompletion(program, frame, () => makeProgram(frame));
  },
  version: async () => (await import("./verbs/version.ts")).defineVersion,
};

/** The names of all verbs, in the order of help. */
export const VERB_NAMES: readonly string[] = Object.keys(VERBS);

/** Builds the program with all its verbs, or with those named. */
export async function makeProgram(frame: Frame, verbs: readonly string[] = VERB_NAMES): Promise<Command> {
  const program = new Command("bootproof")
    .description("Boot artifacts that anyone can rebuild, measure and verify.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "say what a verb does and takes")
    .helpCommand(false)
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp({ sortOptions: false, helpWidth: 100 })
    .addHelpText("after", AFTER);
  const definitions = await Promise.all(verbs.map(async (verb) => VERBS[verb]?.()));
  for (const define of definitions) define?.(program, frame);
  addEverywhere(program);
  return program;
}

/**
 * The verbs that a command line needs: the one it names, none to print the version, else all, as for help and for
 * suggesting a name. Loading one of them instead of all saves a third of the start-up time.
 */
export function neededVerbs(argv: readonly string[]): readonly string[] {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--version" || word === "-V") return [];
    if (takesValue(word)) at++;
    else if (!word.startsWith("-")) return Object.hasOwn(VERBS, word) ? [word] : VERB_NAMES;
  }
  return VERB_NAMES;
}

/** Adds the options of every verb behind each verb's own. */
function addEverywhere(command: Command): void {
  // A command that only groups verbs takes no options of its own; before the verb they stand with the program.
  if (command.commands.length === 0 || command.parent === null) addGlobalOptions(command);
  command.commands.forEach(addEverywhere);
}

const AFTER = `
Exit status: 0 yes or done, 1 no, 2 could not decide, 64 and above: no answer (65 malformed input,
66 missing file, 69 unreachable, 74 cannot write, 78 invalid recipe or policy).`;
