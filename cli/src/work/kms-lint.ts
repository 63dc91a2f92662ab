/**
 * Looks for traps in a key policy.
 * @module
 */
import { lintKmsPolicy } from "@bootproof/statement/kms";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInputText } from "../frame/files.ts";
import type { Given } from "../frame/given.ts";
import { formatLint } from "../kms/policy-text.ts";

const EXITS = { yes: EXIT.yes, no: EXIT.no, "could not decide": EXIT.undecided } as const;

/** Names what the linter finds. */
export async function lint(context: Context, given: Given): Promise<ExitCode> {
  const file = given.argument(0);
  const text = await readInputText(file);
  const found = reading(file, () => lintKmsPolicy(text));
  await context.answer(formatLint(found), { schema: "bootproof/kms-lint/1", file, ...found });
  return EXITS[found.answer];
}
