/**
 * The program: every verb by name. Definitions are light; a verb's packages load when it runs.
 * @module
 */
import { Command } from "commander";

import type { Frame } from "./frame/frame.ts";
import { addGlobalOptions } from "./frame/options.ts";
import { defineBuild } from "./verbs/build.ts";
import { defineCompletion } from "./verbs/completion.ts";
import { defineDoctor } from "./verbs/doctor.ts";
import { defineExplain } from "./verbs/explain.ts";
import { defineInit } from "./verbs/init.ts";
import { defineInspect } from "./verbs/inspect.ts";
import { defineKey } from "./verbs/key.ts";
import { defineLock } from "./verbs/lock.ts";
import { defineLog } from "./verbs/log.ts";
import { defineLookup } from "./verbs/lookup.ts";
import { defineMeasure } from "./verbs/measure.ts";
import { defineRebuild } from "./verbs/rebuild.ts";
import { defineRelease } from "./verbs/release.ts";
import { defineStore } from "./verbs/store.ts";
import { defineVerify } from "./verbs/verify.ts";
import { defineVersion, VERSION } from "./verbs/version.ts";

/** Builds the program with all its verbs. */
export function makeProgram(frame: Frame): Command {
  const program = new Command("bootproof")
    .description("Boot artifacts that anyone can rebuild, measure and verify.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "say what a verb does and takes")
    .helpCommand(false)
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp({ sortOptions: false, helpWidth: 100 })
    .addHelpText("after", AFTER);
  defineInit(program, frame);
  defineLock(program, frame);
  defineBuild(program, frame);
  defineMeasure(program, frame);
  defineRelease(program, frame);
  defineRebuild(program, frame);
  defineVerify(program, frame);
  defineInspect(program, frame);
  defineLookup(program, frame);
  defineLog(program, frame);
  defineStore(program, frame);
  defineKey(program, frame);
  defineDoctor(program, frame);
  defineExplain(program, frame);
  defineCompletion(program, frame, () => program);
  defineVersion(program, frame);
  addEverywhere(program);
  return program;
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
