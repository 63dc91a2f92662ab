/**
 * One run of the program: parse the command line, run the verb, show how it failed if it did.
 * @module
 */
import { CommanderError, type Command } from "commander";

import type { Surroundings } from "./frame/context.ts";
import { EXIT, type ExitCode } from "./frame/exit-code.ts";
import { Failure } from "./frame/failure.ts";
import { Frame } from "./frame/frame.ts";
import { makeProgram, neededVerbs } from "./program.ts";

/** Runs the program with the words after its name; returns the exit status and never throws. */
export async function runProgram(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const frame = new Frame(surroundings);
  try {
    const program = await makeProgram(frame, neededVerbs(argv));
    // Commander's own words for a usage error come back in the error; they are shown like any other.
    quieten(program, surroundings);
    if (argv.length === 0) {
      surroundings.stderr.write(program.helpInformation());
      return EXIT.usage;
    }
    await program.parseAsync([...argv], { from: "user" });
    return frame.exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.yes;
    return await showFailure(error, argv, frame, surroundings);
  } finally {
    frame.context?.progress.close();
  }
}

function quieten(program: Command, { stdout }: Surroundings): void {
  const output = { writeOut: (text: string) => stdout.write(text), writeErr: () => undefined };
  const apply = (command: Command): void => {
    command.configureOutput(output);
    command.commands.forEach(apply);
  };
  apply(program);
}

async function showFailure(
  error: unknown,
  argv: readonly string[],
  frame: Frame,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stdout, stderr, env, signal } = surroundings;
  frame.context?.progress.close();
  if (signal.aborted) {
    stderr.write("bootproof: interrupted\n");
    return EXIT.interrupted;
  }
  const { showsColor } = await import("./frame/context.ts");
  const { failureDocument, formatFailure, formatStacks } = await import("./frame/print-failure.ts");
  const { commandName } = await import("./frame/typed.ts");
  const failure =
    error instanceof CommanderError
      ? usageFailure(error, argv)
      : (await import("./errors/to-failure.ts")).toFailure(error);
  const options = frame.context?.options;
  const command = commandName(surroundings);
  if (options?.json ?? typedOption(argv, "--json"))
    stdout.write(`${JSON.stringify(failureDocument(failure, command), undefined, 2)}\n`);
  else
    stderr.write(
      formatFailure(failure, { color: showsColor({ color: options?.color }, env, stderr), command }),
    );
  if (options?.verbose === true) stderr.write(formatStacks(error));
  return failure.exit;
}

// Before the command line is understood, a flag is looked for as typed, up to `--`.
function typedOption(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes(flag);
}

function usageFailure(error: CommanderError, argv: readonly string[]): Failure {
  if (error.code === "commander.help") {
    const hint = `bootproof ${argv.filter((word) => !word.startsWith("-")).join(" ")} --help`;
    return new Failure("BP-USAGE-001", EXIT.usage, "a verb is missing", { hint });
  }
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = /^\((Did you mean .*)\)$/.exec(rest.join(" "))?.[1];
  const hint =
    suggestion === undefined
      ? "bootproof --help lists the verbs, bootproof VERB --help what one takes"
      : lower(suggestion);
  return new Failure("BP-USAGE-001", EXIT.usage, first, { hint });
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
