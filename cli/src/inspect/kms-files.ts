/**
 * Looks at policies of KMS keys: their statements, and what the linter finds.
 * @module
 */
import { parseUtf8 } from "@bootproof/bytes";
import { lintKmsPolicy, nameOf, readPolicies } from "@bootproof/statement/kms";

import { EXIT } from "../frame/exit-code.ts";
import { formatLint } from "../kms/policy-text.ts";
import { formatFields } from "../report/table.ts";
import { type Inspector, textHead } from "./inspection.ts";

const EXITS = { yes: EXIT.yes, no: EXIT.no, "could not decide": EXIT.undecided } as const;
/** A key policy has at most 32 KiB; what holds one, such as a plan, goes to kms lint. */
const MAX_HEAD = 64 * 1024;

/** A key policy in JSON, alone or as aws kms get-key-policy prints it. */
export const inspectKmsPolicy: Inspector = (bytes) => {
  const head = textHead(bytes, MAX_HEAD);
  if (!/^\s*[[{]/.test(head) || !/Effect\\*"\s*:/.test(head) || !/"kms:/i.test(head.replaceAll("\\", "")))
    return undefined;
  const text = parseUtf8(bytes, "policy");
  const policies = readPolicies(text);
  const lint = lintKmsPolicy(text);
  const fields = policies.flatMap(({ statements }) =>
    statements.map((statement): [string, string] => [
      nameOf(statement),
      `${statement.effect ?? "?"} ${statement.actions.not ? "all but " : ""}${statement.actions.patterns.join(", ")}`,
    ]),
  );
  return {
    kind: "kms-policy",
    text: `${formatFields([["kind", "policy of a KMS key"], ...fields])}\n${formatLint(lint)}`,
    document: { policies: policies.length, lint },
    judged: EXITS[lint.answer],
  };
};
