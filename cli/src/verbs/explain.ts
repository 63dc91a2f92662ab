/**
 * `bootproof explain CODE`: the offline page of an error code.
 * @module
 */
import type { Command } from "commander";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { Frame } from "../frame/frame.ts";
import { typedHere } from "../frame/typed.ts";
import { formatTable } from "../report/table.ts";

/** Defines `explain`. */
export function defineExplain(parent: Command, frame: Frame): void {
  frame
    .verb(parent, "explain [code]", "say what an error code means and what to do", async (context, given) => {
      const { PAGES } = await import("../errors/pages.ts");
      const code = given.optionalArgument(0)?.toUpperCase();
      if (code === undefined) {
        const rows = Object.entries(PAGES).map(([name, { exit, title }]) => [name, String(exit), title]);
        const codes = Object.entries(PAGES).map(([name, page]) => ({ code: name, ...page }));
        await context.answer(formatTable(rows, ["code", "exit", "what"]), {
          schema: "bootproof/codes/1",
          codes,
        });
        return EXIT.yes;
      }
      const page = PAGES[code];
      if (page === undefined) {
        const hint = "bootproof explain (without a code) lists all codes";
        throw new Failure("BP-USAGE-003", EXIT.usage, "no page for this code", { found: code, hint });
      }
      const text = `${code}: ${page.title}\n\nWhy: ${page.why}\nFix: ${typedHere(page.fix, context.command)}\nExit status: ${String(page.exit)}\n`;
      await context.answer(text, { schema: "bootproof/code/1", code, ...page });
      return EXIT.yes;
    })
    .addHelpText("after", "\nExample: bootproof explain BP-LOCK-003");
}
