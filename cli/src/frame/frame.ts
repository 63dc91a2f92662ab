/**
 * The frame every verb runs in: it makes the context and keeps the exit status.
 * @module
 */
import type { Command } from "commander";

import type { Context, Surroundings } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { Given } from "./given.ts";
import { readGlobalOptions } from "./options.ts";

/** The work of a verb; it returns the exit status of its answer, or throws. */
export type Work = (context: Context, given: Given) => Promise<ExitCode>;

/** Defines verbs and remembers how the one that ran ended. */
export class Frame {
  exit: ExitCode = EXIT.yes;
  context: Context | undefined;
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Adds a verb to a command; `spec` is its name and arguments as commander reads them. */
  verb(parent: Command, spec: string, summary: string, work: Work): Command {
    const command = parent.command(spec).description(summary);
    command.allowExcessArguments(false);
    command.action(async (...typed: unknown[]) => {
      const args = typed.slice(0, -2);
      const { Context } = await import("./context.ts");
      this.context = new Context(readGlobalOptions(command), this.#surroundings);
      this.exit = await work(this.context, new Given(args, command.opts()));
    });
    return command;
  }
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
