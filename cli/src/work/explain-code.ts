/**
 * The offline page of an error code, or the list of all.
 * @module
 */
import { PAGES } from "../errors/pages.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { usage } from "../frame/given.ts";
import { typedHere } from "../frame/typed.ts";
import { formatTable } from "../report/table.ts";

/** Prints the page of a code, or all codes when none is given. */
export async function explainCode(context: Context, typed: string | undefined): Promise<ExitCode> {
  if (typed === undefined) return await listCodes(context);
  const code = typed.toUpperCase();
  const page = PAGES[code];
  if (page === undefined) {
    if (!code.startsWith("BP-"))
      throw usage(
        `one file cannot be compared, and ${typed} is no error code`,
        "give two files: bootproof explain A B; bootproof inspect FILE says what one file is",
      );
    const hint = "bootproof explain (without a code) lists all codes";
    throw new Failure("BP-USAGE-003", EXIT.usage, "no page for this code", { found: code, hint });
  }
  const text = `${code}: ${page.title}\n\nWhy: ${page.why}\nFix: ${typedHere(page.fix, context.command)}\nExit status: ${String(page.exit)}\n`;
  await context.answer(text, { schema: "bootproof/code/1", code, ...page });
  return EXIT.yes;
}

async function listCodes(context: Context): Promise<ExitCode> {
  const rows = Object.entries(PAGES).map(([name, { exit, title }]) => [name, String(exit), title]);
  const codes = Object.entries(PAGES).map(([name, page]) => ({ code: name, ...page }));
  await context.answer(formatTable(rows, ["code", "exit", "what"]), { schema: "bootproof/codes/1", codes });
  return EXIT.yes;
}
