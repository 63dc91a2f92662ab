/**
 * `bootproof completion SHELL`: a completion script made from the verbs' own definitions.
 * @module
 */
import type { Command } from "commander";

import { EXIT } from "../frame/exit-code.ts";
import type { Frame } from "../frame/frame.ts";
import { badValue } from "../frame/given.ts";

/** Defines `completion`. */
export function defineCompletion(parent: Command, frame: Frame, program: () => Promise<Command>): void {
  frame
    .verb(
      parent,
      "completion <shell>",
      "print a completion script for bash, zsh or fish",
      async (context, given) => {
        const { COMPLETIONS, wordsOf } = await import("../report/completion-scripts.ts");
        const shell = given.argument(0);
        const script = COMPLETIONS[shell];
        if (script === undefined) throw badValue("the shell", Object.keys(COMPLETIONS).join(", "), shell);
        const text = script(wordsOf(await program()));
        await context.answer(text, { schema: "bootproof/completion/1", shell, script: text });
        return EXIT.yes;
      },
    )
    .addHelpText("after", '\nExample: eval "$(bootproof completion bash)"');
}
