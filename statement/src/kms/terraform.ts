/**
 * A policy for Terraform: the data source aws_iam_policy_document, as HCL and as JSON (*.tf.json).
 * Terraform language documentation, "Native syntax" and "JSON configuration syntax".
 * @module
 */
import type { MadePolicy, MadeStatement } from "./make-policy.ts";

/** Text between quotes: `${` and `%{` would be templates, and in JSON strings are templates too. */
const literal = (text: string): string => text.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
const quoted = (text: string): string => JSON.stringify(literal(text));

/** The policy as a data source in HCL; `.json` of it is the policy of an aws_kms_key. */
export function formatTerraform(policy: MadePolicy, name = "enclave_key"): string {
  const statements = policy.Statement.map(formatStatement).join("\n");
  return `data "aws_iam_policy_document" ${quoted(name)} {\n  version = ${quoted(policy.Version)}\n\n${statements}}\n`;
}

function formatStatement({ Sid, Effect, Principal, Action, Resource, Condition }: MadeStatement): string {
  const conditions = Object.entries(Condition?.StringEqualsIgnoreCase ?? {}).map(
    ([variable, value]) =>
      `\n    condition {\n      test     = "StringEqualsIgnoreCase"\n      variable = ${quoted(variable)}\n` +
      `      values   = [${quoted(value)}]\n    }\n`,
  );
  const actions = Action.map((action) => `      ${quoted(action)},\n`).join("");
  return (
    `  statement {\n    sid    = ${quoted(Sid)}\n    effect = ${quoted(Effect)}\n` +
    `    actions = [\n${actions}    ]\n    resources = [${quoted(Resource)}]\n\n` +
    `    principals {\n      type        = "AWS"\n      identifiers = [${quoted(Principal.AWS)}]\n    }\n` +
    `${conditions.join("")}  }\n`
  );
}

/** The same data source as JSON configuration. */
export function formatTerraformJson(policy: MadePolicy, name = "enclave_key"): string {
  const statement = policy.Statement.map(({ Sid, Effect, Principal, Action, Resource, Condition }) => ({
    sid: literal(Sid),
    effect: Effect,
    actions: Action.map(literal),
    resources: [Resource],
    principals: [{ type: "AWS", identifiers: [literal(Principal.AWS)] }],
    ...(Condition !== undefined && {
      condition: Object.entries(Condition.StringEqualsIgnoreCase).map(([variable, value]) => ({
        test: "StringEqualsIgnoreCase",
        variable: literal(variable),
        values: [literal(value)],
      })),
    }),
  }));
  const document = { data: { aws_iam_policy_document: { [name]: { version: policy.Version, statement } } } };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
